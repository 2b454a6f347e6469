// Pretrainers: stages of training that come before the job's own, built of copies of the network's layers and
// of new ones.
//
//   void next_stage(const Network& network, int stage, StageBuilder& builder) const {
//     if (stage > 0) return;  // no stage: pretraining is complete
//     const NetworkLayer layer = network.layer("f1");
//     builder.begin("encode");
//     builder.copy(layer);
//     builder.layer("decoder", {"f1"}, layer.mirror());
//     builder.loss("decoder", layer.input_name(), Block("acme.squares"));
//     builder.epochs(2);
//   }
//
// What a stage does not say (source, shards, batch, seed, optimizer) is the job's own. Names of other
// plugins' fields need not be known: a layer says its mirror, corrupt() finds the layer that disturbs, and
// Child<Optimizer>, Child<Loss> and Child<Layer> fields hold what the person wrote. One that takes long has
// next_stage(Context& c, const Network& network, int stage, StageBuilder& builder) const, and asks
// c.stop_if_cancelled() now and then.
//
// A stage may run a task in place of training, and give what it finds to the network:
//
//     builder.begin("filters of c1");
//     builder.prepare(Block("acme.patches"));
//     builder.task("image", Block("acme.clusters"));
//     builder.take("c1", "weight", "centres");
// Threads: [setup]
#pragma once
#include <plait/pretrain_task.h>

#include <string>
#include <string_view>
#include <vector>

#include "block.hpp"
#include "entry.hpp"
#include "tensor.hpp"

namespace plait::sdk {

// A layer of the network that is pretrained.
class NetworkLayer {
 public:
  explicit NetworkLayer(const plait_network_layer* layer) : c_(layer) {}
  std::string_view name() const { return c_->name; }
  std::string_view type() const { return c_->type_id; }
  uint32_t parameters() const { return c_->n_parameters; }                 // tensors; 0: nothing to train
  uint32_t buffers() const { return c_->n_buffers; }                       // running statistics, say
  bool frozen() const { return (c_->flags & PLAIT_NETWORK_FROZEN) != 0; }  // the job does not train it
  bool shares() const { return (c_->flags & PLAIT_NETWORK_SHARES) != 0; }  // another layer's parameters
  // A function of its input, element by element.
  bool is_activation() const { return (c_->flags & PLAIT_NETWORK_ACTIVATION) != 0; }
  Spec input() const { return Spec(c_->input); }  // of input 0, N = batch
  Spec output() const { return Spec(c_->output); }
  size_t inputs() const { return c_->n_inputs; }
  // Fails with: kInvalid when there is no input `i`.
  std::string_view input_name(size_t i = 0) const {
    if (i >= inputs())
      throw Error("layer \"", name(), "\" has ", inputs(), " inputs: input ", i, " does not exist");
    return c_->inputs[i];
  }
  // The layer that leads from something of its output's shape back to as many numbers as its input has.
  bool has_mirror() const { return c_->mirror != nullptr; }
  // Fails with: kInvalid when it has none.
  Block mirror() const {
    if (!has_mirror())
      throw Error("layer \"", name(), "\" (", type(), ", ", input(), " to ", output(),
                  ") names no layer that leads back");
    return Block(*c_->mirror);
  }

 private:
  const plait_network_layer* c_;
};

// How a layer of the network is in a stage.
struct LayerCopy {
  bool frozen = false;                   // as in evaluation; else its weights go back when the stage ends
  std::string name = {};                 // "": its own; under another name its weights do not go back
  std::vector<std::string> inputs = {};  // none: those of the network
};

class Network {
 public:
  explicit Network(const plait_pretrain_request* request) : c_(request) {}
  // In an order in which inputs come first.
  size_t size() const { return c_->n_layers; }
  NetworkLayer operator[](size_t i) const {
    if (i >= size()) throw Error("layer ", i, " does not exist");
    return NetworkLayer(c_->layers[i]);
  }
  bool has(std::string_view name) const { return find(name) < size(); }
  NetworkLayer layer(std::string_view name) const {
    const size_t i = find(name);
    if (i == size()) throw Error("the network has no layer \"", name, "\"");
    return (*this)[i];
  }
  int64_t steps_per_epoch() const { return c_->steps_per_epoch; }

 private:
  size_t find(std::string_view name) const {
    size_t i = 0;
    while (i < size() && NetworkLayer(c_->layers[i]).name() != name) ++i;
    return i;
  }
  const plait_pretrain_request* c_;
};

// Every function throws Error where the host cannot do it; the host says why.
class StageBuilder {
 public:
  // `tasks`: of the host; null where it runs none.
  explicit StageBuilder(const plait_stage_builder* builder, const plait_pretrain_task* tasks = nullptr)
      : c_(builder), tasks_(tasks) {}
  // First, and once.
  void begin(const std::string& title) { taken(c_->begin(c_, title.c_str()), "stage \"", title, "\""); }
  // Inputs come before those that read them.
  void copy(const NetworkLayer& layer, const LayerCopy& how = {}) {
    const std::string own(layer.name());
    const std::vector<const char*> inputs = pointers(how.inputs);
    plait_layer_copy copy{};
    copy.struct_size = sizeof copy;
    copy.flags = how.frozen ? uint32_t{PLAIT_COPY_FROZEN} : 0u;
    copy.layer = own.c_str();
    copy.name = how.name.empty() ? nullptr : how.name.c_str();
    copy.n_inputs = static_cast<uint32_t>(inputs.size());
    copy.inputs = inputs.empty() ? nullptr : inputs.data();
    taken(c_->copy(c_, &copy), "a copy of layer \"", own, "\"");
  }
  // Lives for this stage alone.
  void layer(const std::string& name, const std::vector<std::string>& inputs, const Block& block) {
    const std::vector<const char*> list = pointers(inputs);
    const auto count = static_cast<uint32_t>(list.size());
    taken(
        block.with([&](const plait_block& b) { return c_->layer(c_, name.c_str(), count, list.data(), &b); }),
        "layer \"", name, "\"");
  }
  // A layer that disturbs `input` in training: "masking" sets a share `amount` of it to 0, "gaussian" adds
  // noise of that deviation. `noise` may be a type's id in place of it.
  void corrupt(const std::string& name, const std::string& input, const std::string& noise, double amount) {
    taken(c_->corrupt(c_, name.c_str(), input.c_str(), noise.c_str(), amount), "layer \"", name, "\"");
  }
  void loss(const std::string& input, std::string_view target, const Block& block, double weight = 1) {
    const std::string wanted(target);
    taken(block.with(
              [&](const plait_block& b) { return c_->loss(c_, input.c_str(), wanted.c_str(), weight, &b); }),
          "the loss");
  }
  void optimizer(const Block& block) {
    taken(block.with([&](const plait_block& b) { return c_->optimizer(c_, &b); }), "the optimizer");
  }
  // One of both; neither: the job's own.
  void epochs(double epochs) { taken(c_->epochs(c_, epochs), "epochs"); }
  void steps(int64_t steps) { taken(c_->steps(c_, steps), "steps"); }  // of each shard, in all

  // Of a stage that runs a task: an augmenter before it, the task, and what becomes of its arrays. `input` is
  // a layer that was copied in this stage, or without a copy a part of the samples.
  void prepare(const Block& augmenter) {
    taken(augmenter.with([&](const plait_block& b) { return tasks().prepare(c_, &b); }), "the augmenter");
  }
  void task(const std::string& input, const Block& block) {
    taken(block.with([&](const plait_block& b) { return tasks().task(c_, input.c_str(), &b); }), "the task");
  }
  // The network's layer gets the array when the task has run.
  void take(const std::string& layer, const std::string& parameter, const std::string& array) {
    taken(tasks().take(c_, layer.c_str(), parameter.c_str(), array.c_str()), "array \"", array, "\" for ",
          layer, ".", parameter);
  }

 private:
  const plait_pretrain_task& tasks() const {
    if (!PLAIT_HAS(tasks_, take)) throw Error("this host runs no tasks in pretraining");
    return *tasks_;
  }
  template <class... What>
  static void taken(int answer, const What&... what) {
    if (answer != PLAIT_OK) throw Error("the host does not take ", what...);
  }
  static std::vector<const char*> pointers(const std::vector<std::string>& texts) {
    std::vector<const char*> list;
    for (const std::string& text : texts) list.push_back(text.c_str());
    return list;
  }
  const plait_stage_builder* c_;
  const plait_pretrain_task* tasks_;
};

namespace detail {

template <class T>
concept AsksAlone = requires(const T& t, const Network& network, StageBuilder& builder) {
  t.next_stage(network, int{}, builder);
};
template <class T>
concept AsksInContext = requires(const T& t, Context& c, const Network& network, StageBuilder& builder) {
  t.next_stage(c, network, int{}, builder);
};

template <class T>
constexpr void check_pretrainer() {
  static_assert(!(AsksAlone<T> && AsksInContext<T>),
                "next_stage is there twice, one of them is never called: with Context& or without");
  PLAIT_SDK_CHECK_CALL(
      next_stage, const T,
      "void next_stage(Context& c, const Network& network, int stage, StageBuilder& builder) const", void,
      Context&, const Network&, int, StageBuilder&);
  PLAIT_SDK_CHECK_CALL(next_stage, const T,
                       "void next_stage(const Network& network, int stage, StageBuilder& builder) const",
                       void, const Network&, int, StageBuilder&);
  check_open<T>();
}

template <class T>
int next_stage(const void* self, plait_context* context, const plait_pretrain_request* request,
               const plait_stage_builder* builder) noexcept {
  return guard(context, [&] {
    Context c(context);
    StageBuilder stages(builder, c.extension<plait_pretrain_task>(PLAIT_EXTENSION_PRETRAIN_TASK));
    const auto stage = static_cast<int>(request->stage);
    if constexpr (AsksInContext<T>)
      as<T>(self).next_stage(c, Network(request), stage, stages);
    else
      as<T>(self).next_stage(Network(request), stage, stages);
  });
}

template <class T>
const plait_pretrainer_ops* pretrainer_ops() {
  static constexpr plait_pretrainer_ops ops{sizeof(plait_pretrainer_ops), 0, &create_thunk<T>,
                                            &destroy_thunk<T>, &next_stage<T>};
  return &ops;
}

}  // namespace detail

// A pretrainer type and its implementation.
template <class T>
Entry pretrainer(const char* id) {
  static_assert(detail::AsksAlone<T> || detail::AsksInContext<T>,
                "a pretrainer needs: void next_stage(const Network&, int stage, StageBuilder&) const");
  detail::check_pretrainer<T>();
  return detail::make_entry<T>("pretrainer", id, nullptr, kCpu, detail::pretrainer_ops<T>());
}

}  // namespace plait::sdk
