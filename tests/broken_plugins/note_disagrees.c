// Its note names a type that its tables do not have.
// Caught by: note
// Words: the note names schedule broken.other, the tables have broken.note_disagrees_schedule
#include <plait/note.h>

static int create(plait_context* context, const plait_config* config, void** self) {
  (void)context, (void)config;
  *self = NULL;
  return PLAIT_OK;
}
static void destroy(void* self) { (void)self; }
static int value(const void* self, plait_context* context, const plait_schedule_call* call, double* out) {
  (void)self, (void)context;
  *out = call->base;
  return PLAIT_OK;
}

static const plait_schedule_ops ops = {
    .struct_size = sizeof ops, .create = create, .destroy = destroy, .value = value};
static const plait_type type = {.struct_size = sizeof type,
                                .kind = "schedule",
                                .id = "broken.note_disagrees_schedule",
                                .doc = "the value, unchanged"};
static const plait_implementation made = {.struct_size = sizeof made,
                                          .type_id = "broken.note_disagrees_schedule",
                                          .device_id = PLAIT_HOST_DEVICE,
                                          .ops = &ops};
static const plait_type* const types[] = {&type};
static const plait_implementation* const implementations[] = {&made};
static const plait_plugin plugin = {.struct_size = sizeof plugin,
                                    .abi_minor = PLAIT_ABI_MINOR,
                                    .abi_draft = PLAIT_ABI_DRAFT,
                                    .id = "broken.note_disagrees",
                                    .version = "1.0.0",
                                    .license = "Apache-2.0",
                                    .n_types = 1,
                                    .n_implementations = 1,
                                    .types = types,
                                    .implementations = implementations};

PLAIT_NOTE("broken.note_disagrees", "1.0.0", 0, PLAIT_NOTE_SERVES("schedule", "broken.other"));

__attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host* host) {
  (void)host;
  return &plugin;
}
