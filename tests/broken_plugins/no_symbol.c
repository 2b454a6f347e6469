// Exports nothing that a host looks for.
// Caught by: loads
// Words: does not export plait_plugin_v1
#include <plait/abi.h>

__attribute__((visibility("default"))) int something_else(void) { return 1; }
