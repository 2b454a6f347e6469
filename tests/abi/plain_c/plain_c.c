/* A layer in plain C: y = factor * x + shift[c], the channels last. It needs abi.h and nothing else: no SDK,
 * no C++. note.h lets hosts read what it serves without loading it.
 *
 * Shapes: x [N, ..., C] f32, y the same, shift [C].
 */
#include <math.h>
#include <plait/abi.h>
#include <plait/note.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) ((uint32_t)(sizeof(list) / sizeof((list)[0])))

typedef struct scale {
  float factor;
  uint64_t channels;
  uint64_t elements;
} scale;

static int fail(plait_context* context, int32_t code, const char* message) {
  const plait_str text = {message, strlen(message)};
  context->fail(context, code, text);
  return PLAIT_FAILED;
}

static int infer(plait_context* context, const plait_layer_request* request,
                 const plait_layer_builder* builder) {
  const plait_tensor_spec* x = request->inputs[0];
  plait_parameter_spec shift = {0};
  if (x->dtype != PLAIT_F32 || x->rank < 1) {
    return fail(context, PLAIT_ERROR_INVALID, "wanted an input [N, ..., C] of f32");
  }
  if (builder->output(builder, x) != PLAIT_OK) return PLAIT_FAILED;
  shift.struct_size = sizeof shift;
  shift.flags = PLAIT_PARAMETER_NO_DECAY;
  shift.name = "shift";
  shift.rank = 1;
  shift.reduce = PLAIT_REDUCE_MEAN32;
  shift.shape[0] = x->shape[x->rank - 1];
  shift.init = "zeros";
  return builder->parameter(builder, &shift);
}

static int create(plait_context* context, const plait_layer_request* request, const plait_layer_needs* needs,
                  void** self) {
  const plait_tensor_spec* x = request->inputs[0];
  double factor = 0;
  scale* made;
  if (context->host->config_f64(request->config, "factor", 0, &factor) != PLAIT_OK) {
    return fail(context, PLAIT_ERROR_INVALID, "factor has no value");
  }
  made = malloc(sizeof *made);
  if (made == NULL) return fail(context, PLAIT_ERROR_MEMORY, "out of memory");
  made->factor = (float)factor;
  made->channels = (uint64_t)x->shape[x->rank - 1];
  made->elements = 1;
  for (int32_t i = 0; i < x->rank; ++i) made->elements *= (uint64_t)x->shape[i];
  needs->backward_reads(needs, 0);
  *self = made;
  return PLAIT_OK;
}

static void destroy(void* self) { free(self); }

static int forward(const void* self, plait_context* context, const plait_layer_call* call) {
  const scale* layer = self;
  const float* x = call->inputs[0]->data;
  const float* shift = call->parameters[0];
  float* y = call->outputs[0]->data;
  (void)context;
  for (uint64_t i = 0; i < layer->elements; ++i) y[i] = layer->factor * x[i] + shift[i % layer->channels];
  return PLAIT_OK;
}

static int backward(const void* self, plait_context* context, const plait_layer_call* call) {
  const scale* layer = self;
  const float* dy = call->output_gradients[0]->data;
  float* dshift = call->parameter_gradients[0];
  (void)context;
  if (call->input_gradients[0] != NULL) {
    float* dx = call->input_gradients[0]->data;
    for (uint64_t i = 0; i < layer->elements; ++i) dx[i] = layer->factor * dy[i];
  }
  if (dshift != NULL) {
    for (uint64_t c = 0; c < layer->channels; ++c) dshift[c] = 0;
    for (uint64_t i = 0; i < layer->elements; ++i) dshift[i % layer->channels] += dy[i];
  }
  return PLAIT_OK;
}

static const plait_field factor = {
    .struct_size = sizeof(plait_field),
    .kind = PLAIT_FIELD_F64,
    .name = "factor",
    .doc = "what the input is multiplied by",
    .default_text = "2",
    .low = -INFINITY,
    .high = INFINITY,
};
static const plait_field* const fields[] = {&factor};

static const plait_layer_rules rules = {
    .struct_size = sizeof(plait_layer_rules),
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = infer,
};
static const plait_layer_ops ops = {
    .struct_size = sizeof(plait_layer_ops),
    .create = create,
    .destroy = destroy,
    .forward = forward,
    .backward = backward,
};

static const plait_type type = {
    .struct_size = sizeof(plait_type),
    .n_fields = COUNT(fields),
    .kind = "layer",
    .id = "example.scale",
    .doc = "factor * x + shift, shift learned per channel",
    .fields = fields,
    .rules = &rules,
};
static const plait_type* const types[] = {&type};

static const plait_implementation implementation = {
    .struct_size = sizeof(plait_implementation),
    .type_id = "example.scale",
    .device_id = PLAIT_HOST_DEVICE,
    .ops = &ops,
};
static const plait_implementation* const implementations[] = {&implementation};

static const plait_plugin plugin = {
    .struct_size = sizeof(plait_plugin),
    .abi_minor = PLAIT_ABI_MINOR,
    .abi_draft = PLAIT_ABI_DRAFT,
    .id = "example.plain_c",
    .version = "1.0.0",
    .license = "BSD-3-Clause",
    .built_with = "C11",
    .n_types = COUNT(types),
    .n_implementations = COUNT(implementations),
    .types = types,
    .implementations = implementations,
};

PLAIT_NOTE("example.plain_c", "1.0.0", 0, PLAIT_NOTE_SERVES("layer", "example.scale"));

__attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host* host);
const plait_plugin* plait_plugin_v1(const plait_host* host) {
  (void)host;
  return &plugin;
}
