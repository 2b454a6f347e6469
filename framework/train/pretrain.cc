#include "train/pretrain.h"

#include <string>

#include "pipeline/load.h"

namespace plait {
namespace {

// The network as pretrainers read it; borrows from `network`.
class NetworkView {
 public:
  explicit NetworkView(const Network& network) : network_(network) {
    specs_.reserve(2 * network.nodes.size());
    for (const NodeInfo& node : network.nodes) add(node);
    for (size_t i = 0; i < layers_.size(); ++i) {
      layers_[i].inputs = input_names_[i].data();
      pointers_.push_back(&layers_[i]);
    }
  }
  uint32_t size() const { return static_cast<uint32_t>(pointers_.size()); }
  const plait_network_layer* const* data() const { return pointers_.data(); }

 private:
  const plait_tensor_spec* spec_of(int tensor) {
    specs_.push_back(network_.tensors[static_cast<size_t>(tensor)].spec.raw());
    return &specs_.back();
  }

  void add(const NodeInfo& node) {
    plait_network_layer layer{};
    layer.struct_size = sizeof layer;
    layer.n_parameters = static_cast<uint32_t>(node.parameters.size());
    layer.name = node.layer->name.c_str();
    layer.type_id = node.layer->plugin.entry->type->id;
    layer.text = node.layer->text.c_str();
    if (!node.inputs.empty()) layer.input = spec_of(node.inputs.front());
    if (!node.outputs.empty()) layer.output = spec_of(node.outputs.front());
    input_names_.emplace_back();
    for (const int input : node.inputs) {
      const TensorInfo& tensor = network_.tensors[static_cast<size_t>(input)];
      const bool is_part = tensor.node < 0;
      input_names_.back().push_back(
          is_part ? tensor.name.c_str()
                  : network_.nodes[static_cast<size_t>(tensor.node)].layer->name.c_str());
    }
    layer.n_inputs = static_cast<uint32_t>(input_names_.back().size());
    layers_.push_back(layer);
  }

  const Network& network_;
  std::vector<plait_tensor_spec> specs_;
  std::vector<std::vector<const char*>> input_names_;
  std::vector<plait_network_layer> layers_;
  std::vector<const plait_network_layer*> pointers_;
};

}  // namespace

struct Pretraining::Emitted {
  int stages = 0;
  std::string title, text;

  static int stage(const plait_stage_builder* builder, plait_str title, plait_str text) {
    auto& emitted = *static_cast<Emitted*>(builder->host_data);
    emitted.stages += 1;
    emitted.title.assign(title.data, title.size);
    emitted.text.assign(text.data, text.size);
    return emitted.stages == 1 ? PLAIT_OK : PLAIT_FAILED;
  }
};

Pretraining::Pretraining(const Registry& registry, const Job& job, const Network& network,
                         int64_t steps_per_epoch)
    : registry_(registry), job_(job), network_(network), steps_per_epoch_(steps_per_epoch) {}

Result<std::unique_ptr<Pretraining>> Pretraining::create(const Registry& registry, const Job& job,
                                                         const Network& network, int64_t steps_per_epoch) {
  std::unique_ptr<Pretraining> pretraining(new Pretraining(registry, job, network, steps_per_epoch));
  for (const PluginSpec& spec : job.pretrain) {
    CallContext context;
    auto instance = create_instance(registry, *spec.entry, *spec.config, PLAIT_HOST_DEVICE, context);
    if (!instance) return instance.status().at(spec.where.text());
    pretraining->pretrainers_.push_back(std::move(instance).value());
  }
  return pretraining;
}

Result<bool> Pretraining::ask(Emitted& emitted) {
  const Instance& pretrainer = pretrainers_[current_];
  const NetworkView view(network_);
  plait_pretrain_request request{};
  request.struct_size = sizeof request;
  request.n_layers = view.size();
  request.layers = view.data();
  request.stage = stage_;
  request.steps_per_epoch = steps_per_epoch_;
  plait_stage_builder builder{sizeof builder, 0, &emitted, Emitted::stage};
  CallContext context;
  PLAIT_TRY(context
                .call([&] {
                  return pretrainer.ops<plait_pretrainer_ops>()->next_stage(pretrainer.self(), context.raw(),
                                                                            &request, &builder);
                })
                .at("pretrainer " + std::string(pretrainer.entry().type->id)));
  return emitted.stages > 0;
}

Result<std::optional<Job>> Pretraining::next() {
  for (; current_ < pretrainers_.size(); ++current_, stage_ = 0) {
    Emitted emitted;
    PLAIT_ASSIGN(const bool more, ask(emitted));
    if (!more) continue;
    stage_ += 1;
    PLAIT_ASSIGN(Job stage, parse_stage(registry_, job_, emitted.title, emitted.text));
    return std::optional<Job>(std::move(stage));
  }
  return std::optional<Job>();
}

}  // namespace plait
