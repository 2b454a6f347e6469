#include "pipeline/test_plugins.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>

#include "registry/config.h"

namespace plait::inline pipeline {
namespace {

int infer_layer(plait_context*, const plait_layer_request*, const plait_layer_builder*) { return PLAIT_OK; }
int check_loss(plait_context*, const plait_loss_request*) { return PLAIT_OK; }
int describe_optimizer(plait_context*, const plait_config*, const plait_optimizer_builder*) {
  return PLAIT_OK;
}
int infer_augmenter(plait_context*, const plait_config*, uint32_t, const plait_tensor_spec* const*,
                    const plait_parts_builder*) {
  return PLAIT_OK;
}

int validate_source(plait_context* context, const plait_config* config) {
  plait_str images{}, labels{};
  if (host_table().config_string(config, "images", 0, &images) ||
      host_table().config_string(config, "labels", 0, &labels))
    return PLAIT_OK;
  if (images.size != labels.size || std::memcmp(images.data, labels.data, images.size) != 0) return PLAIT_OK;
  const char text[] = "images and labels are one file";
  context->fail(context, PLAIT_ERROR_INVALID, {text, sizeof text - 1});
  return PLAIT_FAILED;
}

// "_top5", nothing for 1; what the border does not allow for 7.
int suffix_of_top(plait_context*, const plait_config* config, char* text, uint64_t capacity) {
  int64_t top = 1;
  host_table().config_i64(config, "top", 0, &top);
  if (top == 7) return std::snprintf(text, capacity, "top seven"), PLAIT_OK;
  if (top > 1) std::snprintf(text, capacity, "_top%d", static_cast<int>(top));
  return PLAIT_OK;
}

int create_metric(plait_context*, const plait_config*, const plait_tensor_spec*, const plait_tensor_spec*,
                  uint32_t*, void**) {
  return PLAIT_FAILED;  // these metrics have names only
}

// Tables of the plugin; everything lives as long as the program.
class Tables {
 public:
  Tables() {
    const auto filters = with(whole("filters", nullptr, 1, 65536, "number of filters"), PLAIT_FIELD_REQUIRED);
    type("layer", "plait.convolution", "slides filters over an image",
         {filters, with(whole("kernel", "3, 3", 1, 100, "extents of the window"), PLAIT_FIELD_REPEATED),
          whole("stride", "1", 1, 100, "step of the window"), padding(), deep()});
    type("layer", "plait.dense", "every input to every output",
         {with(whole("units", nullptr, 1, 1e6, "outputs"), PLAIT_FIELD_REQUIRED)});
    type("layer", "plait.relu", "zero for what is negative", {});
    type("sink", "plait.any", "writes nothing", {}, &sink_rules_);
    implementations_.push_back(
        {sizeof(plait_implementation), 0, types_.back().id, PLAIT_HOST_DEVICE, &sink_ops_, "sink"});
    type("layer", "plait.add", "sum of its inputs", {}, &add_rules_);
    for (const char* id : {"acme.blank", "acme.mask"})
      type("layer", id, "sets a share to 0",
           {real("share", "0.5", 0, 1, "of zeros"), boolean("scaled", "true", "whether to divide")},
           &mask_rules_);
    type("layer", "acme.swish", "x sigmoid(beta x)", {real("beta", "1", 0, 100, "steepness of the gate")});
    type("layer", "acme.fancy-3d", "has a name with a stroke and a digit", {});
    type("layer", "acme.repeat", "is called like a word of the file", {whole("count", "2", 1, 9, "times")});
    type("layer", "acme.input", "is called like a field of layer", {whole("count", "2", 1, 9, "times")});
    type("loss", "plait.cross_entropy", "of a softmax", {});
    type("loss", "plait.mean_squared", "mean of squares", {});
    type("loss", "plait.pairs", "of two predictions", {}, &pair_rules_);
    type("metric", "plait.accuracy", "share of samples that are right", {});
    type("metric", "plait.hits", "share of samples among the first",
         {whole("top", "1", 1, 1000, "how many count as right")});
    metric({{{sizeof(plait_metric_value), 1, "hits", "share"}}}, suffix_of_top);
    type("metric", "plait.errors", "of two kinds", {});
    metric({{{sizeof(plait_metric_value), 0, "error", "mean"},
             {sizeof(plait_metric_value), 0, "worst", "largest"}}});
    type("metric", "plait.parts", "names its values when shapes are known", {});
    metric({});
    metric_ops_.back().describe = [](plait_context*, const plait_metric_request*,
                                     const plait_metric_builder*) { return static_cast<int>(PLAIT_FAILED); };
    type("optimizer", "plait.sgd", "gradient descent",
         {with(real("rate", "0.01", 0, 1e6, "step size"), PLAIT_FIELD_RUNTIME),
          real("momentum", "0", 0, 1, "of the past"), boolean("nesterov", "false", "look ahead")});
    type("optimizer", "plait.adam", "adaptive moments",
         {with(real("rate", "0.001", 0, 1e6, "step size"), PLAIT_FIELD_RUNTIME)});
    type("schedule", "plait.cosine", "half a cosine", {});
    type("augmenter", "plait.affine", "moves and turns", {real("rotate", "0", 0, 180, "degrees")});
    type("augmenter", "acme.overlay", "lays a picture over the sample", {optional_path("file", ""), mask()});
    type("augmenter", "plait.one_of", "one of its children", {children()});
    type("source", "plait.idx", "files of MNIST", {path("images"), path("labels")}, nullptr, validate_source);
    type("reducer", "plait.mean", "mean of the shards", {}, nullptr, nullptr, PLAIT_TYPE_DEFAULT_OF_KIND);
    type("device", "plait.cpu", "this processor", {}, nullptr, nullptr, PLAIT_TYPE_DEFAULT_OF_KIND);
    type("pretrainer", "plait.greedy", "layer by layer", {real("epochs", "1", 0, 1e6, "of each stage")});
    for (const plait_type& made : types_) type_pointers_.push_back(&made);
    plugin_.struct_size = sizeof plugin_;
    plugin_.abi_draft = PLAIT_ABI_DRAFT;
    plugin_.id = "plait.testdata";
    plugin_.version = "1";
    plugin_.n_types = static_cast<uint32_t>(type_pointers_.size());
    plugin_.types = type_pointers_.data();
    for (const plait_implementation& made : implementations_) implementation_pointers_.push_back(&made);
    plugin_.n_implementations = static_cast<uint32_t>(implementation_pointers_.size());
    plugin_.implementations = implementation_pointers_.data();
  }
  const plait_plugin* plugin() const { return &plugin_; }

 private:
  using FieldPointer = const plait_field*;

  plait_field* field(uint32_t kind, const char* name, const char* default_text, const char* doc) {
    plait_field& made = fields_.emplace_back();
    made.struct_size = sizeof made;
    made.kind = kind;
    made.name = name;
    made.doc = doc;
    made.default_text = default_text;
    made.low = -INFINITY;
    made.high = INFINITY;
    return &made;
  }
  plait_field* whole(const char* name, const char* default_text, double low, double high, const char* doc) {
    plait_field* made = field(PLAIT_FIELD_I64, name, default_text, doc);
    made->low = low;
    made->high = high;
    return made;
  }
  plait_field* real(const char* name, const char* default_text, double low, double high, const char* doc) {
    plait_field* made = whole(name, default_text, low, high, doc);
    made->kind = PLAIT_FIELD_F64;
    return made;
  }
  plait_field* boolean(const char* name, const char* default_text, const char* doc) {
    return field(PLAIT_FIELD_BOOL, name, default_text, doc);
  }
  plait_field* path(const char* name) {
    return with(field(PLAIT_FIELD_STRING, name, nullptr, "a file"), PLAIT_FIELD_REQUIRED | PLAIT_FIELD_PATH);
  }
  plait_field* optional_path(const char* name, const char* default_text) {
    return with(field(PLAIT_FIELD_STRING, name, default_text, "a file"), PLAIT_FIELD_PATH);
  }
  plait_field* mask() {
    static const plait_field* inside[1];
    inside[0] = optional_path("file", "masks/round.png");
    plait_field* made = field(PLAIT_FIELD_MESSAGE, "mask", nullptr, "where it shows");
    made->fields = inside;
    made->n_fields = 1;
    return made;
  }
  plait_field* padding() {
    static const char* const names[] = {"valid", "same"};
    plait_field* made = field(PLAIT_FIELD_ENUM, "padding", "valid", "at the border");
    made->enum_names = names;
    made->n_enum_names = 2;
    return made;
  }
  plait_field* deep() {
    static const plait_field* inside[2];
    inside[0] = real("spread", "0.5", 0, 10, "of initial values");
    inside[1] = field(PLAIT_FIELD_STRING, "note", "", "a remark");
    plait_field* made = field(PLAIT_FIELD_MESSAGE, "deep", nullptr, "a nested message");
    made->fields = inside;
    made->n_fields = 2;
    return made;
  }
  plait_field* children() {
    plait_field* made = field(PLAIT_FIELD_CHILD, "child", nullptr, "what to choose from");
    made->child_kind = "augmenter";
    return with(made, PLAIT_FIELD_REPEATED | PLAIT_FIELD_REQUIRED);
  }
  static plait_field* with(plait_field* made, uint32_t flags) {
    made->flags |= flags;
    return made;
  }

  const void* rules_of(const std::string& kind) const {
    if (kind == "layer") return &layer_rules_;
    if (kind == "loss") return &loss_rules_;
    if (kind == "optimizer") return &optimizer_rules_;
    return kind == "augmenter" ? &augmenter_rules_ : nullptr;
  }

  void type(const char* kind, const char* id, const char* doc, std::vector<FieldPointer> fields,
            const void* rules = nullptr, int (*validate)(plait_context*, const plait_config*) = nullptr,
            uint32_t flags = 0) {
    const auto& kept = field_tables_.emplace_back(std::move(fields));
    plait_type& made = types_.emplace_back();
    made.struct_size = sizeof made;
    made.kind = kind;
    made.id = id;
    made.doc = doc;
    made.fields = kept.data();
    made.n_fields = static_cast<uint32_t>(kept.size());
    made.rules = rules ? rules : rules_of(kind);
    made.validate = validate;
    made.flags = flags;
  }

  // Operations of the metric that type() made last.
  void metric(std::vector<plait_metric_value> values,
              int (*suffix)(plait_context*, const plait_config*, char*, uint64_t) = nullptr) {
    const auto& kept = values_.emplace_back(std::move(values));
    auto& pointers = value_pointers_.emplace_back();
    for (const plait_metric_value& value : kept) pointers.push_back(&value);
    plait_metric_ops& ops = metric_ops_.emplace_back();
    ops.struct_size = sizeof ops;
    ops.n_values = static_cast<uint32_t>(pointers.size());
    ops.values = pointers.data();
    ops.create = create_metric;
    ops.destroy = [](void*) {};
    ops.update = [](const void*, plait_context*, const plait_tensor*, const plait_tensor*, double*) {
      return static_cast<int>(PLAIT_FAILED);
    };
    ops.finish = [](const void*, plait_context*, const double*, double*) {
      return static_cast<int>(PLAIT_FAILED);
    };
    ops.suffix = suffix;
    plait_implementation& made = implementations_.emplace_back();
    made.struct_size = sizeof made;
    made.type_id = types_.back().id;
    made.device_id = PLAIT_HOST_DEVICE;
    made.ops = &ops;
  }

  static plait_layer_rules layer_rules(uint32_t least, uint32_t most) {
    plait_layer_rules rules{};
    rules.struct_size = sizeof rules;
    rules.min_inputs = least;
    rules.max_inputs = most;
    rules.infer = infer_layer;
    return rules;
  }

  static constexpr const char* kEndings[] = {".csv", ".tsv", ".npy", ".safetensors"};
  const plait_sink_rules sink_rules_ = {sizeof(plait_sink_rules), 0, kEndings, 4, 0, nullptr, nullptr};
  const plait_sink_ops sink_ops_ = {
      sizeof(plait_sink_ops),
      0,
      [](plait_context*, const plait_config*, void**) { return static_cast<int>(PLAIT_FAILED); },
      [](void*) {},
      [](const void*, plait_context*, uint32_t, const plait_sink_array* const*, const plait_byte_taker*) {
        return static_cast<int>(PLAIT_FAILED);
      },
      [](const void*, plait_context*, const plait_pairs*, const plait_byte_taker*) {
        return static_cast<int>(PLAIT_FAILED);
      }};
  const plait_layer_rules layer_rules_ = layer_rules(1, 1);
  const plait_layer_rules add_rules_ = layer_rules(2, UINT32_MAX);
  const plait_setting unscaled_{sizeof(plait_setting), PLAIT_FIELD_BOOL, "scaled", 0, 0, {nullptr, 0}};
  const plait_setting* const masking_settings_[1] = {&unscaled_};
  const plait_corruption masking_{sizeof(plait_corruption), 1, "masking", "share", masking_settings_};
  const plait_layer_rules mask_rules_ = [this] {
    plait_layer_rules rules = layer_rules(1, 1);
    rules.corruption = &masking_;
    return rules;
  }();
  const plait_loss_rules loss_rules_ = [] {
    plait_loss_rules rules{};
    rules.struct_size = sizeof rules;
    rules.check = check_loss;
    return rules;
  }();
  const plait_port left_{sizeof(plait_port), 0, "left", nullptr, nullptr, nullptr};
  const plait_port right_{sizeof(plait_port), 0, "right", nullptr, nullptr, nullptr};
  const plait_port* const pair_pointers_[2] = {&left_, &right_};
  const plait_ports pair_ports_{sizeof(plait_ports), 2, pair_pointers_};
  const plait_loss_rules pair_rules_ = [this] {
    plait_loss_rules rules = loss_rules_;
    rules.flags = PLAIT_LOSS_WEIGHTS;
    rules.min_predictions = rules.max_predictions = 2;
    rules.min_targets = 0, rules.max_targets = 1;
    rules.prediction_ports = &pair_ports_;
    return rules;
  }();
  const plait_optimizer_rules optimizer_rules_{sizeof(plait_optimizer_rules), 0, describe_optimizer};
  const plait_augmenter_rules augmenter_rules_{sizeof(plait_augmenter_rules), 0, infer_augmenter};
  std::deque<plait_field> fields_;
  std::deque<std::vector<FieldPointer>> field_tables_;
  std::deque<plait_type> types_;
  std::vector<const plait_type*> type_pointers_;
  std::deque<std::vector<plait_metric_value>> values_;
  std::deque<std::vector<const plait_metric_value*>> value_pointers_;
  std::deque<plait_metric_ops> metric_ops_;
  std::deque<plait_implementation> implementations_;
  std::vector<const plait_implementation*> implementation_pointers_;
  plait_plugin plugin_{};
};

}  // namespace

const Registry& test_registry() {
  static const Tables tables;
  static const auto registry = Registry::from_plugins({tables.plugin()});
  assert(registry.is_ok());
  return *registry;
}

std::string test_job() {
  return R"(# a job for tests
name: "tiny"
seed: 7
var { name: "data" value: "/data" }
var { name: "width" value: 6 }
source { idx { images: "$data/images.gz" labels: "$data/labels.gz" } }
validation { fraction: 0.1 }
augment { affine { rotate: 10 } }
augment { one_of { child { affine { rotate: 5 } } child { affine {} } } }
layer { name: "c1" input: "image" convolution { filters: $width kernel: 5 padding: same deep { note: "costs $$5" } } }
layer { name: "r1" [acme.swish] { beta: 1.5 } }
layer { name: "sum" input: "r1" input: "c1" add {} }
layer { relu {} }
layer { name: "f1" dense { units: ${width * 2 + 1} } }
loss { cross_entropy {} }
metric { accuracy {} }
optimizer { sgd { rate: 0.05 momentum: 0.9 } }
schedule { cosine {} }
train { shards: 4 local_steps: 10 batch: 16 epochs: 2.5 inner_state: reset }
outer_optimizer { sgd { rate: 1 } }
pretrain { greedy {} }
)";
}

}  // namespace plait::inline pipeline
