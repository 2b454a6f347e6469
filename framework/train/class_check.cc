#include "train/class_check.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "graph/arena.h"
#include "pipeline/load.h"
#include "plan/step_maker.h"

namespace plait::inline train {
namespace {

template <class T>
std::vector<std::byte> filled(uint64_t count, T value) {
  std::vector<std::byte> bytes(count * sizeof value);
  for (uint64_t i = 0; i < count; ++i) std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
  return bytes;
}

// `value` everywhere; empty for types that labels do not have.
std::vector<std::byte> filled(const PartSpec& spec, uint32_t value) {
  const uint64_t count = element_count(spec.shape);
  switch (spec.dtype) {
    case PLAIT_U8:
      return value > 255 ? std::vector<std::byte>() : filled(count, static_cast<uint8_t>(value));
    case PLAIT_I32:
      return filled(count, static_cast<int32_t>(value));
    case PLAIT_I64:
      return filled(count, static_cast<int64_t>(value));
    case PLAIT_F32:
      return filled(count, static_cast<float>(value));
    default:
      return {};
  }
}

class ClassCheck {
 public:
  ClassCheck(const Job& job, const Plan& plan, uint32_t classes, Device& device)
      : job_(job), plan_(plan), classes_(classes), device_(device) {}

  Status run(const Registry& registry) {
    PLAIT_ASSIGN(stream_, Stream::create(device_, plan_.options().lanes, parallel_pieces));
    // Of one that reads more nobody knows what to fill the rest with.
    for (const HeadInfo& loss : network().losses)
      if (loss.inputs.size() == 1 && loss.targets.size() == 1 && reads_labels(loss))
        PLAIT_TRY(ask(registry, loss));
    for (const HeadInfo& metric : network().metrics)
      if (reads_labels(metric) && lacks_places(metric)) return refused("metric", metric);
    return {};
  }

 private:
  const Network& network() const { return plan_.network(); }
  const TensorInfo& tensor(int index) const { return network().tensors[static_cast<size_t>(index)]; }

  // The source's classes are those of the part "label", or of the last where none is called so.
  bool reads_labels(const HeadInfo& head) const {
    const TensorInfo& target = tensor(head.target());
    if (target.part < 0) return false;
    const bool named = std::ranges::any_of(
        network().tensors, [](const TensorInfo& part) { return part.part >= 0 && part.name == "label"; });
    const bool last = std::ranges::none_of(network().tensors,
                                           [&](const TensorInfo& part) { return part.part > target.part; });
    return named ? target.name == "label" : last;
  }

  bool lacks_places(const HeadInfo& head) const {
    const PartSpec &prediction = tensor(head.input()).spec, &target = tensor(head.target()).spec;
    const bool whole = target.dtype == PLAIT_U8 || target.dtype == PLAIT_I32 || target.dtype == PLAIT_I64;
    if (!whole || prediction.shape.empty()) return false;
    const auto places = static_cast<uint64_t>(prediction.shape.back());
    return places >= 2 && places < classes_ &&
           element_count(target.shape) * places == element_count(prediction.shape);
  }

  // A loss says itself which targets it does not accept.
  Status ask(const Registry& registry, const HeadInfo& head) {
    const PartSpec& spec = tensor(head.target()).spec;
    // As many numbers as the prediction has are no class numbers.
    if (spec.dtype == PLAIT_F32 &&
        element_count(spec.shape) == element_count(tensor(head.input()).spec.shape))
      return {};
    const std::vector<std::byte> labels = filled(spec, classes_ - 1);
    if (labels.empty()) return {};
    PLAIT_ASSIGN(const MadeLoss made, make_loss(registry, network(), head, plan_.options()));
    PLAIT_ASSIGN(const DeviceMemory prediction, memory(byte_count(tensor(head.input()).spec)));
    PLAIT_ASSIGN(const DeviceMemory target, memory(labels.size()));
    PLAIT_ASSIGN(const DeviceMemory result, memory(2 * sizeof(double)));
    PLAIT_ASSIGN(const DeviceMemory workspace, memory(made.workspace));
    PLAIT_ASSIGN(const DeviceMemory bad, memory(sizeof(int32_t)));
    int32_t bad_target = -1;
    PLAIT_TRY(stream_->copy_in(target.data(), labels.data(), labels.size()));
    PLAIT_TRY(stream_->copy_in(bad.data(), &bad_target, sizeof bad_target));
    const plait_tensor p = view(head.input(), prediction), t = view(head.target(), target);
    plait_loss_call call{};
    call.struct_size = sizeof call;
    const plait_tensor *const predictions[] = {&p}, *const targets[] = {&t}, *const gradients[] = {nullptr};
    const std::vector<std::byte> ones = filled(static_cast<uint64_t>(network().batch), 1.0f);
    PLAIT_ASSIGN(const DeviceMemory weights, memory(ones.size()));
    plait_tensor w = head.weights < 0 ? plait_tensor{} : view(head.weights, weights);
    w.rank = 1;
    PLAIT_TRY(stream_->copy_in(weights.data(), ones.data(), ones.size()));
    call.prediction = &p;
    call.target = &t;
    call.n_predictions = call.n_targets = 1;
    call.predictions = predictions;
    call.targets = targets;
    call.prediction_gradients = gradients;
    if (head.weights >= 0) call.weights = &w;
    call.result = static_cast<double*>(result.data());
    call.workspace = workspace.data();
    call.bad_target = static_cast<int32_t*>(bad.data());
    call.gradient_scale = head.weight;
    PLAIT_TRY(compute(made, call).at(head_text("loss", head)));
    PLAIT_TRY(stream_->copy_out(&bad_target, bad.data(), sizeof bad_target));
    PLAIT_TRY(stream_->synchronize());
    return bad_target < 0 ? Status() : refused("loss", head);
  }

  // In an arena of the plan's lanes, as in training.
  Status compute(const MadeLoss& made, const plait_loss_call& call) {
    Lanes arena(plan_.options().lanes);
    return arena.execute([&] {
      CallContext context(plan_.options().lanes, parallel_pieces);
      context.set_device(plan_.options().device_ops, plan_.options().device, stream_->handle());
      return context.call(
          [&] { return made.instance.ops().compute(made.instance.self(), context.raw(), &call); });
    });
  }

  Result<DeviceMemory> memory(uint64_t bytes) { return DeviceMemory::allocate(*stream_, bytes); }

  plait_tensor view(int index, const DeviceMemory& memory) const {
    plait_tensor made = tensor_of(tensor(index).spec);
    made.data = memory.data();
    made.name = tensor(index).name.c_str();
    return made;
  }

  static std::string head_text(const char* kind, const HeadInfo& head) {
    return std::string(kind) + " \"" + head.name + "\"";
  }

  Status refused(const char* kind, const HeadInfo& head) const {
    const TensorInfo& prediction = tensor(head.input());
    const std::string from = prediction.node < 0
                                 ? "\"" + prediction.name + "\""
                                 : layer_place(prediction.node) + ", \"" + prediction.name + "\"";
    return {Code::kInvalid,
            error_at(head.plugin->where,
                     head_text(kind, head) + ": the source " + job_.source.entry->short_name() + " (" +
                         job_.source.where.text() + ") has " + std::to_string(classes_) +
                         " classes, and the prediction has no place for the last: it is " + from + " " +
                         shape_text(prediction.spec))};
  }

  std::string layer_place(int node) const {
    const LayerSpec& layer = *network().nodes[static_cast<size_t>(node)].layer;
    return "the output of " + layer.plugin.entry->short_name() + " (" + layer.where.text() + ")";
  }

  const Job& job_;
  const Plan& plan_;
  const uint32_t classes_;
  Device& device_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace

Status check_classes(const Registry& registry, const Job& job, const Plan& plan, uint32_t classes,
                     Device& device) {
  return classes < 2 ? Status() : ClassCheck(job, plan, classes, device).run(registry);
}

}  // namespace plait::inline train
