/* Augmenters that write down when they are made and destroyed: shift (keeps the parts), crop (halves the
 * first extent), fitted (wants a pass over the data), roomy (wants memory), box (holds others). */
#include <math.h>
#include <plait/abi.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT char test_events[256] = "";

struct named {
  const char* name;
};

static void note(const char* name, const char* what) {
  strcat(test_events, name);
  strcat(test_events, what);
}

static int make(const char* name, void** self) {
  struct named* made = malloc(sizeof *made);
  made->name = name;
  *self = made;
  note(name, "+ ");
  return PLAIT_OK;
}

static void destroy(void* self) {
  note(((struct named*)self)->name, "- ");
  free(self);
}

#define CREATE(name_)                                                                             \
  static int create_##name_(plait_context* context, const plait_config* config, uint32_t n_parts, \
                            const plait_tensor_spec* const* parts, void** self) {                 \
    (void)context, (void)config, (void)n_parts, (void)parts;                                      \
    return make(#name_, self);                                                                    \
  }
CREATE(shift)
CREATE(crop)
CREATE(fitted)
CREATE(roomy)

/* One letter of its name for each child that it finds made. */
static int create_box(plait_context* context, const plait_config* config, uint32_t n_parts,
                      const plait_tensor_spec* const* parts, void** self) {
  const plait_host* host = context->host;
  (void)parts;
  for (uint32_t i = 0; i < host->config_count(config, "of"); ++i) {
    const plait_child* child = host->config_child(config, "of", i);
    if (child == NULL || child->self == NULL || child->ops == NULL || n_parts != 1) {
      context->fail(context, PLAIT_ERROR_INVALID, (plait_str){"a child is not made", 19});
      return PLAIT_FAILED;
    }
    note(((const struct named*)child->self)->name, "? ");
  }
  return make("box", self);
}

static int keep(plait_context* context, const plait_config* config, uint32_t n_parts,
                const plait_tensor_spec* const* parts, const plait_parts_builder* builder) {
  if (context->host->config_child(config, "of", 0) != NULL) note("infer sees a child", "! ");
  for (uint32_t i = 0; i < n_parts; ++i) {
    if (builder->part(builder, parts[i])) return PLAIT_FAILED;
  }
  return PLAIT_OK;
}

static int halve(plait_context* context, const plait_config* config, uint32_t n_parts,
                 const plait_tensor_spec* const* parts, const plait_parts_builder* builder) {
  (void)context, (void)config, (void)n_parts;
  plait_tensor_spec half = *parts[0];
  half.shape[0] /= 2;
  return builder->part(builder, &half);
}

static int apply(const void* self, plait_context* context, const plait_sample_call* call) {
  (void)self, (void)context, (void)call;
  return PLAIT_OK;
}

static uint32_t fit_size(plait_context* context, const plait_config* config, uint32_t n_parts,
                         const plait_tensor_spec* const* parts) {
  (void)context, (void)config, (void)n_parts, (void)parts;
  return 1;
}

static int workspace(const void* self, plait_context* context, int64_t batch, uint64_t* bytes) {
  (void)self, (void)context, (void)batch;
  *bytes = 24;
  return PLAIT_OK;
}

static const plait_field of = {.struct_size = sizeof(plait_field),
                               .kind = PLAIT_FIELD_CHILD,
                               .flags = PLAIT_FIELD_REPEATED,
                               .name = "of",
                               .doc = "What it holds.",
                               .low = -INFINITY,
                               .high = INFINITY,
                               .child_kind = "augmenter"};
static const plait_field* const box_fields[] = {&of};
static const plait_augmenter_rules keeping = {.struct_size = sizeof(plait_augmenter_rules), .infer = keep};
static const plait_augmenter_rules halving = {.struct_size = sizeof(plait_augmenter_rules), .infer = halve};

#define TYPE(name_, rules_, n_, fields_)                                     \
  static const plait_type type_##name_ = {.struct_size = sizeof(plait_type), \
                                          .kind = "augmenter",               \
                                          .id = "test." #name_,              \
                                          .doc = "An augmenter.",            \
                                          .rules = &rules_,                  \
                                          .n_fields = n_,                    \
                                          .fields = fields_}
#define OPS(name_, ...)                                                                          \
  static const plait_augmenter_ops ops_##name_ = {.struct_size = sizeof(plait_augmenter_ops),    \
                                                  .create = create_##name_,                      \
                                                  .destroy = destroy,                            \
                                                  .apply = apply,                                \
                                                  __VA_ARGS__};                                  \
  static const plait_implementation made_##name_ = {.struct_size = sizeof(plait_implementation), \
                                                    .type_id = "test." #name_,                   \
                                                    .device_id = PLAIT_HOST_DEVICE,              \
                                                    .ops = &ops_##name_}
TYPE(shift, keeping, 0, NULL);
TYPE(crop, halving, 0, NULL);
TYPE(fitted, keeping, 0, NULL);
TYPE(roomy, keeping, 0, NULL);
TYPE(box, keeping, 1, box_fields);
OPS(shift, .fit_size = NULL);
OPS(crop, .fit_size = NULL);
OPS(fitted, .fit_size = fit_size);
OPS(roomy, .workspace = workspace);
OPS(box, .fit_size = NULL);

static const plait_type* const types[] = {&type_shift, &type_crop, &type_fitted, &type_roomy, &type_box};
static const plait_implementation* const implementations[] = {&made_shift, &made_crop, &made_fitted,
                                                              &made_roomy, &made_box};
static const plait_plugin plugin = {.struct_size = sizeof(plait_plugin),
                                    .abi_draft = PLAIT_ABI_DRAFT,
                                    .id = "test.augmenters",
                                    .version = "1",
                                    .n_types = 5,
                                    .n_implementations = 5,
                                    .types = types,
                                    .implementations = implementations};

EXPORT const plait_plugin* plait_plugin_v1(const plait_host* host);
const plait_plugin* plait_plugin_v1(const plait_host* host) {
  (void)host;
  return &plugin;
}
