#include "graph/node.h"

#include <fmt/format.h>
#include <plait/bf16.hpp>

#include <chrono>
#include <cstring>
#include <utility>

#include "base/trace.h"
#include "graph/arena.h"
#include "graph/float_state.h"
#include "graph/padding.h"
#include "registry/shape_text.h"

namespace plait::inline graph {
namespace {

int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

}  // namespace

Node::Node(const NodeSetup& setup, std::string place, std::string name, const char* phase)
    : setup_(setup),
      place_(std::move(place)),
      name_(std::move(name)),
      phase_(phase),
      context_(setup.lanes, parallel_pieces, setup.cancelled) {
  context_.set_device(&setup.stream->device().ops(), setup.stream->device().self(), setup.stream->handle());
}

Status Node::run(const StepKey& key) {
  const FloatState state;
  const TraceSpan span(phase_, name_, key.step);
  if (setup_.timed) times_.begin_ns = now_ns();
  Status status = context_.call([&] { return isolated(setup_.lanes, [&] { return call(key); }); });
  // Else the time of queueing would be taken for that of the work.
  if (setup_.timed && status && !setup_.stream->device().host_memory()) status = setup_.stream->synchronize();
  if (FloatState::repair()) repair_float_state();
  if (setup_.timed) {
    times_.end_ns = now_ns();
    times_.total_ns += times_.end_ns - times_.begin_ns;
    ++times_.calls;
    times_.thread = tbb::this_task_arena::current_thread_index();
  }
  return status ? status : status.at(place_ + ": " + phase_);
}

void Node::repair_float_state() {
  if (std::exchange(told_, true)) return;
  const std::string text =
      fmt::format("{}: {} changed the processor's floating-point state (rounding, flush to zero); restored",
                  place_, phase_);
  context_.raw()->log(context_.raw(), 2, {text.data(), text.size()});
}

int Node::zero_past(const plait_tensor& batch) {
  const Device& device = setup_.stream->device();
  const uint64_t bytes = dtype_bytes(batch.dtype);
  if (batch.data == nullptr || (batch.lengths == nullptr && batch.second_lengths == nullptr)) return PLAIT_OK;
  auto* sample = static_cast<std::byte*>(batch.data);
  int done = PLAIT_OK;
  for (int64_t n = 0; n < batch.shape[0]; ++n) {
    const SampleGrid grid = SampleGrid::of(batch, static_cast<uint64_t>(n));
    grid.each_past([&](uint64_t at, uint64_t count) {
      if (device.host_memory())
        std::memset(sample + at * bytes, 0, count * bytes);
      else if (done == PLAIT_OK)
        done = device.ops().fill_zero(device.self(), context_.raw(), sample + at * bytes, count * bytes);
    });
    sample += grid.elements() * bytes;
  }
  return done;
}

int Node::add(uint32_t dtype, void* to, const void* from, uint64_t count) {
  if (dtype != PLAIT_BF16) return add(static_cast<float*>(to), static_cast<const float*>(from), count);
  sdk::add_bf16(static_cast<uint16_t*>(to), static_cast<const uint16_t*>(from), count);
  return PLAIT_OK;
}

int Node::add(float* to, const float* from, uint64_t count) {
  const Device& device = setup_.stream->device();
  return device.ops().add_f32(device.self(), context_.raw(), to, from, count);
}

}  // namespace plait::inline graph
