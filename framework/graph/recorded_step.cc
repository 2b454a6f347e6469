#include "graph/recorded_step.h"

#include <algorithm>

#include "graph/replica.h"

namespace plait::inline graph {
namespace {

constexpr size_t kMostRecordings = 16;  // memory of batches is used in turns of two or three

bool varies(const Plan& plan) {
  return std::ranges::any_of(plan.network().tensors,
                             [](const TensorInfo& tensor) { return tensor.spec.variable_axis >= 0; });
}

}  // namespace

std::unique_ptr<RecordedStep> RecordedStep::create(const Plan& plan, Stream& stream, const NodeList& nodes,
                                                   std::function<Status()> queue) {
  const plait_device_ops* const ops = &stream.device().ops();
  const bool repeats =
      std::ranges::all_of(nodes.order, [](const Node* node) { return node->updates() || node->repeats(); });
  if (!PLAIT_HAS(ops, record) || !PLAIT_HAS(ops, forget) || !repeats || varies(plan)) return nullptr;
  return std::unique_ptr<RecordedStep>(new RecordedStep(stream, std::move(queue)));
}

RecordedStep::~RecordedStep() {
  Device& device = stream_.device();
  for (const Recording& recording : recordings_)
    if (recording.work != nullptr) device.ops().forget(device.self(), recording.work);
}

RecordedStep::Recording* RecordedStep::find(const Batch& batch) {
  const auto found = std::ranges::find(recordings_, batch.parts, &Recording::parts);
  return found == recordings_.end() ? nullptr : &*found;
}

// A failure within is told when the same work is called.
bool RecordedStep::record(Recording& recording) {
  Device& device = stream_.device();
  CallContext& context = stream_.context();
  const auto& ops = device.ops();
  if (!context.call([&] { return ops.record(device.self(), context.raw()); })) return false;
  const Status queued = queue_();
  void* work = nullptr;
  const Status ended = context.call([&] { return ops.recorded(device.self(), context.raw(), &work); });
  if (ended && !queued) ops.forget(device.self(), work);
  if (!ended || !queued) return false;
  recording.work = work;
  return true;
}

void RecordedStep::give_up() {
  works_ = false;
  const std::string text =
      "device " + stream_.device().id() + ": a step cannot be recorded, steps are called";
  stream_.context().raw()->log(stream_.context().raw(), 2, {text.data(), text.size()});
}

Status RecordedStep::run(const Batch& batch) {
  if (!works_) return queue_();
  Recording* const known = find(batch);
  if (known == nullptr) {
    if (recordings_.size() < kMostRecordings) recordings_.push_back({batch.parts, nullptr});
    return queue_();
  }
  if (known->work == nullptr && !record(*known)) give_up();
  if (!works_) return queue_();
  Device& device = stream_.device();
  CallContext& context = stream_.context();
  return context.call([&] { return device.ops().repeat(device.self(), context.raw(), known->work); })
      .at("device " + device.id());
}

}  // namespace plait::inline graph
