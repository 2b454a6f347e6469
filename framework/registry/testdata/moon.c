/* Nothing but an implementation of another library's type, on a device: waits until that is in use. With
 * TEST_ENDS its constructor ends the process: nobody may get as far as that before. */
#include <plait/note.h>
#include <stdlib.h>

#ifdef TEST_ENDS
#include <signal.h>
__attribute__((constructor)) static void begin(void) { raise(SIGSEGV); }
PLAIT_NOTE("test.moon_ends", "1.0.0", 0, PLAIT_NOTE_IMPLEMENTS("schedule", "test.line", "test.moon_ends"));
#define DEVICE "test.moon_ends"
#else
PLAIT_NOTE("test.moon", "1.0.0", 0, PLAIT_NOTE_IMPLEMENTS("schedule", "test.line", "test.moon"));
#define DEVICE "test.moon"
#endif

static int create(plait_context* context, const plait_config* config, void** self) {
  (void)context, (void)config;
  return *self = NULL, PLAIT_OK;
}
static void destroy(void* self) { (void)self; }
static int value(const void* self, plait_context* context, const plait_schedule_call* call, double* result) {
  (void)self, (void)context;
  return *result = call->base, PLAIT_OK;
}
static const plait_schedule_ops ops = {
    .struct_size = sizeof ops, .create = create, .destroy = destroy, .value = value};
static const plait_implementation made = {
    .struct_size = sizeof made, .type_id = "test.line", .device_id = DEVICE, .ops = &ops};
static const plait_implementation* const all[] = {&made};
static const plait_plugin plugin = {.struct_size = sizeof plugin,
                                    .abi_minor = PLAIT_ABI_MINOR,
                                    .abi_draft = PLAIT_ABI_DRAFT,
                                    .id = DEVICE,
                                    .version = "1.0.0",
                                    .license = "Apache-2.0",
                                    .n_implementations = 1,
                                    .implementations = all};

__attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host* host) {
  (void)host;
  return &plugin;
}
