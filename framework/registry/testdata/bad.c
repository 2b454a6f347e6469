/* A schedule with one fault, chosen by TEST_FAULT. */
#include <math.h>
#include <plait/abi.h>
#include <stddef.h>

enum {
  DRAFT,
  MINOR,
  NULL_PLUGIN,
  NULL_ID,
  REFUSES,
  KIND,
  DOC,
  FIELD_TWICE,
  FIELD_KIND,
  DEFAULT_RANGE,
  DEFAULT_TEXT,
  RANGE,
  ENUM_EMPTY,
  NO_RULES,
  NO_CREATE,
  IMPLEMENTED_TWICE
};
#define WHEN(fault, bad, good) (TEST_FAULT == fault ? (bad) : (good))

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

static const plait_field first = {
    .struct_size = sizeof(plait_field),
    .kind = WHEN(FIELD_KIND, 99, WHEN(ENUM_EMPTY, PLAIT_FIELD_ENUM, PLAIT_FIELD_I64)),
    .name = "first",
    .doc = "A number.",
    .default_text = WHEN(DEFAULT_RANGE, "0", WHEN(DEFAULT_TEXT, "many", "3")),
    .low = 1,
    .high = WHEN(RANGE, 0, 9)};
static const plait_field second = {.struct_size = sizeof(plait_field),
                                   .kind = PLAIT_FIELD_BOOL,
                                   .name = WHEN(FIELD_TWICE, "first", "second"),
                                   .doc = "A switch.",
                                   .low = -INFINITY,
                                   .high = INFINITY};
static const plait_field* const fields[] = {&first, &second};
static const plait_schedule_ops ops = {.struct_size = sizeof(plait_schedule_ops),
                                       .create = WHEN(NO_CREATE, NULL, create),
                                       .destroy = destroy,
                                       .value = value};
static const plait_type type = {.struct_size = sizeof(plait_type),
                                .n_fields = 2,
                                .kind = WHEN(KIND, "teapot", WHEN(NO_RULES, "optimizer", "schedule")),
                                .id = WHEN(NULL_ID, NULL, "test.bad"),
                                .doc = WHEN(DOC, "", "A type."),
                                .fields = fields};
static const plait_type* const types[] = {&type};
static const plait_implementation made = {.struct_size = sizeof(plait_implementation),
                                          .type_id = "test.bad",
                                          .device_id = PLAIT_HOST_DEVICE,
                                          .ops = &ops};
static const plait_implementation* const implementations[] = {&made, &made};
static const plait_plugin plugin = {.struct_size = sizeof(plait_plugin),
                                    .abi_minor = 0,
                                    .abi_draft = WHEN(DRAFT, 999, PLAIT_ABI_DRAFT),
                                    .min_host_minor = WHEN(MINOR, 777, 0),
                                    .id = WHEN(NULL_PLUGIN, NULL, "test.bad_library"),
                                    .version = "1",
                                    .n_types = 1,
                                    .n_implementations = WHEN(IMPLEMENTED_TWICE, 2, 1),
                                    .types = types,
                                    .implementations = implementations};

__attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host* host);
const plait_plugin* plait_plugin_v1(const plait_host* host) {
  (void)host;
  return WHEN(REFUSES, NULL, &plugin);
}
