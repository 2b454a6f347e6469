/* A schedule with a field of every kind: value = base + slope * step + inner.amount. */
#include <math.h>
#include <plait/abi.h>
#include <stdlib.h>

#ifndef TEST_NAME
#define TEST_NAME "line"
#endif
#ifndef TEST_PLUGIN
#define TEST_PLUGIN "test." TEST_NAME
#endif
#define FIELD(kind_, name_, default_)                                                                      \
  .struct_size = sizeof(plait_field), .kind = PLAIT_FIELD_##kind_, .name = name_, .doc = "The " name_ ".", \
  .default_text = default_, .low = -INFINITY, .high = INFINITY
#define EXPORT __attribute__((visibility("default")))

static const plait_field amount = {FIELD(I64, "amount", "0")};
static const plait_field* const inner_fields[] = {&amount};
static const char* const modes[] = {"up", "down"};

static const plait_field slope = {.struct_size = sizeof(plait_field),
                                  .kind = PLAIT_FIELD_F64,
                                  .flags = PLAIT_FIELD_LOW_OPEN | PLAIT_FIELD_RUNTIME,
                                  .name = "slope",
                                  .doc = "What a step adds.",
                                  .unit = "1/step",
                                  .default_text = "0.5",
                                  .low = 0,
                                  .high = 1};
static const plait_field steps = {.struct_size = sizeof(plait_field),
                                  .kind = PLAIT_FIELD_I64,
                                  .flags = PLAIT_FIELD_REPEATED,
                                  .name = "steps",
                                  .doc = "A list.",
                                  .default_text = "1, 2",
                                  .low = 1,
                                  .high = INFINITY};
static const plait_field mode = {FIELD(ENUM, "mode", "up"), .enum_names = modes, .n_enum_names = 2};
static const plait_field label = {FIELD(STRING, "label", "\"a, b\"")};
static const plait_field must = {FIELD(STRING, "must", NULL),
                                 .flags = PLAIT_FIELD_REQUIRED | PLAIT_FIELD_PATH};
static const plait_field flag = {FIELD(BOOL, "flag", "true")};
static const plait_field inner = {FIELD(MESSAGE, "inner", ""), .fields = inner_fields, .n_fields = 1};
static const plait_field absent = {FIELD(MESSAGE, "absent", NULL), .fields = inner_fields, .n_fields = 1};
static const plait_field* const fields[] = {&slope, &steps, &mode, &label, &must, &flag, &inner, &absent};

struct line {
  double slope, amount;
};

static int fail(plait_context* context, const char* text, uint64_t size) {
  context->fail(context, PLAIT_ERROR_INVALID, (plait_str){text, size});
  return PLAIT_FAILED;
}

static int create(plait_context* context, const plait_config* config, void** self) {
  const plait_host* host = context->host;
  const plait_config* nested = host->config_message(config, "inner", 0);
  int64_t value = 0;
  struct line* made = malloc(sizeof *made);
  *self = made;
  if (host->config_f64(config, "slope", 0, &made->slope)) return fail(context, "no slope", 8);
  if (host->config_i64(nested, "amount", 0, &value)) return fail(context, "no amount", 9);
  made->amount = (double)value;
  if (made->slope == 0.25) {
    free(made);
    return fail(context, "slope 0.25 brings bad luck", 26);
  }
  return PLAIT_OK;
}

static void destroy(void* self) { free(self); }

static int value(const void* self, plait_context* context, const plait_schedule_call* call, double* out) {
  const struct line* line = self;
  (void)context;
  *out = call->base + line->slope * (double)call->step + line->amount;
  return PLAIT_OK;
}

static const plait_schedule_ops ops = {
    .struct_size = sizeof(plait_schedule_ops), .create = create, .destroy = destroy, .value = value};
static const plait_type type = {.struct_size = sizeof(plait_type),
                                .n_fields = 8,
                                .kind = "schedule",
                                .id = "test." TEST_NAME,
                                .doc = "A straight line.",
                                .details = "v = b + s t\nt: step",
                                .fields = fields};
static const plait_type* const types[] = {&type};
static const plait_implementation made = {.struct_size = sizeof(plait_implementation),
                                          .type_id = "test." TEST_NAME,
                                          .device_id = PLAIT_HOST_DEVICE,
                                          .ops = &ops};
static const plait_implementation* const implementations[] = {&made};
static const plait_plugin plugin = {.struct_size = sizeof(plait_plugin),
                                    .abi_minor = PLAIT_ABI_MINOR,
                                    .abi_draft = PLAIT_ABI_DRAFT,
                                    .id = TEST_PLUGIN,
                                    .version = "1.2.3",
                                    .license = "MIT",
                                    .n_types = 1,
                                    .n_implementations = 1,
                                    .types = types,
                                    .implementations = implementations};

EXPORT int test_entries = 0;
EXPORT const plait_plugin* plait_plugin_v1(const plait_host* host);
const plait_plugin* plait_plugin_v1(const plait_host* host) {
  (void)host;
  ++test_entries;
  return &plugin;
}
