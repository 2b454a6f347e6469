/* A library without plait_plugin_v1: no plugin, or (with TEST_EXPORT) one for another major. */
#ifndef TEST_EXPORT
#define TEST_EXPORT some_function
#endif
__attribute__((visibility("default"))) int TEST_EXPORT(void);
int TEST_EXPORT(void) { return 0; }
