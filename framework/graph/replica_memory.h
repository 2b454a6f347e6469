// The memory of one replica on its device, and the views of it that calls into plugins carry.
#pragma once
#include <plait/abi.h>

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "graph/device.h"
#include "graph/optimizer.h"
#include "plan/plan.h"

namespace plait::inline graph {

struct Batch;

class ReplicaMemory {
 public:
  // With `shared` weights, gradients and slots are those of that memory, which outlives this one.
  // `weights_at`: see Replica::Options. Fails with: what the device reports.
  static Result<std::unique_ptr<ReplicaMemory>> create(const Plan& plan, Stream& stream,
                                                       const OptimizerInstance* optimizer,
                                                       const ReplicaMemory* shared = nullptr,
                                                       float* weights_at = nullptr);

  // Addresses of what the plan placed; null for kNoOffset.
  void* activation(uint64_t offset) const { return at(activations_, offset); }
  void* prepared(uint64_t offset) const { return at(prepared_, offset); }
  float* weights(uint64_t element = 0) const { return arenas_.weights + element; }
  float* gradients(uint64_t element = 0) const { return arenas_.gradients + element; }
  float* slot(size_t index, uint64_t element = 0) const { return arenas_.slots[index] + element; }
  size_t slots() const { return arenas_.slots.size(); }
  // Memory that the second and further users of a shared parameter write their gradient to.
  // Fails with: what the device reports.
  // Threads: [setup only]
  Result<float*> extra_gradient(uint64_t elements);

  // Values of the network's tensors; parts of the batch change from step to step (use).
  const plait_tensor& value(int tensor) const { return values_[static_cast<size_t>(tensor)]; }
  const plait_tensor& gradient_sum(int tensor) const { return gradient_sums_[static_cast<size_t>(tensor)]; }
  // The same extents over other memory.
  plait_tensor like(int tensor, void* data) const;
  void use(const Batch& batch);

  // What loss number `head` reports: two f64 and, 64 bytes further, an i32.
  double* result(size_t head) const;
  int32_t* bad_target(size_t head) const;
  struct LossReport {
    double sum, count;
    int32_t bad_target;
  };
  // Queues the copy of all reports to the host; they may be read after the stream was synchronized.
  Status fetch_reports();
  LossReport report(size_t head) const;
  // The mean that this step is trained on, once all losses have run. In memory that the host does not reach
  // it is that of the reports that were fetched within the step, and NaN where none are.
  double mean_loss() const;
  void fetches_within_step() { fetches_within_step_ = true; }

  // Of an optimizer that moves. Buffers as they are before a step, and weights with buffers as they are now,
  // to be put back. Queued on the stream.
  Status keep_buffers();
  Status put_back_buffers();
  Status keep_weights();
  Status put_back_weights();

 private:
  struct Arenas {  // own or shared
    float* weights = nullptr;
    float* gradients = nullptr;
    std::vector<float*> slots;
    float* kept = nullptr;  // weights and buffers, then buffers before the step; of an optimizer that moves
  };

  ReplicaMemory(const Plan& plan, Stream& stream) : plan_(plan), stream_(stream) {}
  static void* at(const DeviceMemory& memory, uint64_t offset) {
    return offset == kNoOffset ? nullptr : static_cast<std::byte*>(memory.data()) + offset;
  }
  static float* elements(const DeviceMemory& memory) { return static_cast<float*>(memory.data()); }
  uint64_t arena_bytes() const { return plan_.arena_elements() * sizeof(float); }
  uint64_t buffer_bytes() const { return (plan_.arena_elements() - plan_.buffers_offset()) * sizeof(float); }
  Status copy_some(float* to, const float* from, uint64_t bytes);
  Status allocate();
  Status allocate_arenas(const OptimizerInstance* optimizer, float* weights_at);
  Status allocate_slot(double initial);
  Status allocate_reports();
  void make_views();
  void make_extents();
  void set_extents(size_t tensor, const Batch& batch);
  const int32_t* extents_of(size_t tensor, int k);

  const Plan& plan_;
  Stream& stream_;
  DeviceMemory activations_, prepared_, weights_, gradients_, kept_, reports_;
  std::vector<DeviceMemory> slots_, extra_;
  Arenas arenas_;
  std::vector<plait_tensor> values_, gradient_sums_;
  // Per tensor, along its variable axes: extents that are not those of another tensor, or none.
  std::vector<std::array<std::vector<int32_t>, 2>> extents_;
  HostMemory host_reports_;
  bool fetches_within_step_ = false;
};

}  // namespace plait::inline graph
