/* A layer and a reducer of deltas in the common part of C and C++, built by the test as a plugin of another
 * age would be:
 *
 *   (nothing)  as the header says
 *   OLDER      structs end where a first version of them might have, the reducer's before it could reduce
 *              keys: past the end lies what must not be read
 *   NEWER      structs are longer than the host knows, with members that it has never heard of, and a later
 *              minor
 *
 * The layer is y = factor * x, every shard weighs 1; each must load and keep the laws.
 */
#include <math.h>
#include <plait/abi.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#define EXPORT extern "C" __attribute__((visibility("default")))
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* A struct with room after it. AGE writes its size, and poison into the room. */
#define AGED(type, name) \
  static struct {        \
    type s;              \
    uint8_t later[64];   \
  } name
#if defined(OLDER)
#define SIZE(type, last_known) ((uint32_t)(offsetof(type, last_known) + sizeof(((type*)0)->last_known)))
#elif defined(NEWER)
#define SIZE(type, last_known) ((uint32_t)(sizeof(type) + 64))
#else
#define SIZE(type, last_known) ((uint32_t)sizeof(type))
#endif
/* `last_known` is the last member of the older form; what is past the end is poison. */
#define AGE(type, name, last_known)                                                                   \
  do {                                                                                                \
    const size_t end = SIZE(type, last_known) < sizeof(type) ? SIZE(type, last_known) : sizeof(type); \
    memset((uint8_t*)&name + end, 0x5a, sizeof name - end);                                           \
    name.s.struct_size = SIZE(type, last_known);                                                      \
  } while (0)

static float factor_of(plait_context* context, const plait_config* config) {
  double factor = 0;
  (void)context->host->config_f64(config, "factor", 0, &factor);
  return (float)factor;
}

static int infer(plait_context* context, const plait_layer_request* request,
                 const plait_layer_builder* builder) {
  const plait_str text = {"wanted an input of f32", 22};
  if (request->inputs[0]->dtype == PLAIT_F32) return builder->output(builder, request->inputs[0]);
  context->fail(context, PLAIT_ERROR_INVALID, text);
  return PLAIT_FAILED;
}

/* The instance is the factor's bits. */
static int create(plait_context* context, const plait_layer_request* request, const plait_layer_needs* needs,
                  void** self) {
  const float factor = factor_of(context, request->config);
  uint32_t bits;
  memcpy(&bits, &factor, sizeof bits);
  needs->backward_reads(needs, 0);
  *self = (void*)(uintptr_t)bits;
  return PLAIT_OK;
}

static void destroy(void* self) { (void)self; }

static void multiply(const void* self, const plait_tensor* from, const plait_tensor* to) {
  const uint32_t bits = (uint32_t)(uintptr_t)self;
  const float* x = (const float*)from->data;
  float* y = (float*)to->data;
  float factor;
  int64_t count = 1;
  memcpy(&factor, &bits, sizeof factor);
  for (int32_t i = 0; i < from->rank; ++i) count *= from->shape[i];
  for (int64_t i = 0; i < count; ++i) y[i] = factor * x[i];
}

static int forward(const void* self, plait_context* context, const plait_layer_call* call) {
  (void)context;
  multiply(self, call->inputs[0], call->outputs[0]);
  return PLAIT_OK;
}

static int backward(const void* self, plait_context* context, const plait_layer_call* call) {
  (void)context;
  if (call->input_gradients[0]) multiply(self, call->output_gradients[0], call->input_gradients[0]);
  return PLAIT_OK;
}

static int create_mean(plait_context* context, const plait_config* config, void** self) {
  (void)context, (void)config;
  *self = NULL;
  return PLAIT_OK;
}

static int weight(const void* self, plait_context* context, const plait_shard_result* result,
                  int32_t* weight) {
  (void)self, (void)context, (void)result;
  *weight = 1;
  return PLAIT_OK;
}

AGED(plait_field, factor);
AGED(plait_layer_rules, rules);
AGED(plait_layer_ops, ops);
AGED(plait_type, type);
AGED(plait_implementation, made);
AGED(plait_reducer_ops, mean_ops);
AGED(plait_type, mean);
AGED(plait_implementation, made_mean);
AGED(plait_plugin, plugin);
static const plait_field* const fields[] = {&factor.s};
static const plait_type* const types[] = {&type.s, &mean.s};
static const plait_implementation* const implementations[] = {&made.s, &made_mean.s};

static void fill_type(void) {
  factor.s.kind = PLAIT_FIELD_F64;
  factor.s.name = "factor";
  factor.s.doc = "what the input is multiplied by";
  factor.s.default_text = "2";
  factor.s.low = -100;
  factor.s.high = 100;
  AGE(plait_field, factor, n_fields);
  rules.s.min_inputs = 1;
  rules.s.max_inputs = 1;
  rules.s.infer = infer;
  AGE(plait_layer_rules, rules, infer);
  type.s.n_fields = 1;
  type.s.kind = "layer";
  type.s.id = "example.aged";
  type.s.doc = "factor * x";
  type.s.fields = fields;
  type.s.rules = &rules.s;
  AGE(plait_type, type, validate);
}

static void fill_reducer(void) {
  mean.s.kind = "reducer";
  mean.s.id = "example.aged_mean";
  mean.s.doc = "the plain mean";
  AGE(plait_type, mean, validate);
  mean_ops.s.create = create_mean;
  mean_ops.s.destroy = destroy;
  mean_ops.s.weight = weight;
  AGE(plait_reducer_ops, mean_ops, combine);
  made_mean.s.type_id = "example.aged_mean";
  made_mean.s.device_id = PLAIT_HOST_DEVICE;
  made_mean.s.ops = &mean_ops.s;
  AGE(plait_implementation, made_mean, ops);
}

EXPORT const plait_plugin* plait_plugin_v1(const plait_host* host) {
  (void)host;
  fill_type();
  fill_reducer();
  ops.s.create = create;
  ops.s.destroy = destroy;
  ops.s.forward = forward;
  ops.s.backward = backward;
  AGE(plait_layer_ops, ops, backward);
  made.s.type_id = "example.aged";
  made.s.device_id = PLAIT_HOST_DEVICE;
  made.s.ops = &ops.s;
  AGE(plait_implementation, made, ops);
  plugin.s.abi_minor = PLAIT_ABI_MINOR;
  plugin.s.abi_draft = PLAIT_ABI_DRAFT;
#ifdef NEWER
  plugin.s.abi_minor = PLAIT_ABI_MINOR + 7;
#endif
#ifdef NEEDS_NEWER
  plugin.s.min_host_minor = PLAIT_ABI_MINOR + 1;
#endif
  plugin.s.id = "example.ages";
  plugin.s.version = "1.0.0";
  plugin.s.license = "Apache-2.0";
  plugin.s.built_with = "the compiler of the test";
  plugin.s.n_types = 2;
  plugin.s.n_implementations = 2;
  plugin.s.types = types;
  plugin.s.implementations = implementations;
  AGE(plait_plugin, plugin, implementations);
  return &plugin.s;
}
