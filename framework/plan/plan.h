// A compiled plan: one step per fused layer with its kernel, and where every tensor lies in memory.
// Immutable: all replicas of a rank share it, each with memory of its own (Replica, graph/replica.h).
#pragma once
#include <plait/abi.h>

#include <memory>
#include <string>
#include <vector>

#include "plan/network.h"
#include "registry/context.h"

namespace plait::inline plan {

inline constexpr uint64_t kNoOffset = ~uint64_t{0};
inline constexpr uint64_t kAlignment = 64;

struct CompileOptions {
  bool training = true;
  bool measuring = false;  // of an evaluation: layers that learn, and can, measure their buffers
  std::string device_id = PLAIT_HOST_DEVICE;
  void* device = nullptr;  // self of the device plugin
  const plait_device_ops* device_ops = nullptr;
  int lanes = 1;  // compile must run inside an arena of as many threads: kernels depend on it
  ParallelFor parallel_for = nullptr;
  bool keeps_values = false;  // of evaluation: all tensors are there when the step is done
};

// An instance of a layer for concrete extents. Owns self.
class LayerInstance {
 public:
  LayerInstance(const plait_layer_ops* ops, void* self) : ops_(ops), self_(self) {}
  LayerInstance(LayerInstance&& other) noexcept;
  LayerInstance& operator=(LayerInstance&&) = delete;
  ~LayerInstance();
  const plait_layer_ops& ops() const { return *ops_; }
  const void* self() const { return self_; }

 private:
  const plait_layer_ops* ops_;
  void* self_;
};

// One contribution to the gradient of a tensor, and where it is written.
struct GradientPlace {
  uint64_t offset = kNoOffset;  // bytes in the activation memory; kNoOffset: not needed
};

// What a layer's instance runs, a text for each kernel in the order in which they run: "onednn:...", or
// "own:..." where it said nothing. What fields that left it the choice came to. See plait/kernel_notes.h.
struct KernelChoice {
  std::string field, value;
};
struct Kernels {
  std::vector<std::string> forward, backward;
  std::vector<KernelChoice> choices;
};

struct Step {
  Step(int its_node, LayerInstance its_instance) : node(its_node), instance(std::move(its_instance)) {}
  int node;
  LayerInstance instance;
  std::vector<int> inputs, outputs;            // tensors
  std::vector<int> parameters, buffers;        // numbers in Network::parameters
  std::vector<GradientPlace> input_gradients;  // per input: its own contribution
  uint64_t saved = kNoOffset;                  // offset in the activation memory
  uint64_t workspace = kNoOffset;
  uint64_t prepared = kNoOffset;  // offset in the prepared memory
  uint32_t backward_reads = PLAIT_READS_INPUTS | PLAIT_READS_OUTPUTS;
  bool backward = false;             // some gradient is needed of it
  bool repeats = false;              // its calls queue the same work in every step
  uint32_t mode = PLAIT_EVALUATION;  // how it is called: PLAIT_TRAINING ...
  Kernels kernels;
  std::vector<uint32_t> takes_int8;  // inputs from which it can compute on 8-bit integers, or does
};

// Memory of a tensor and of its gradient.
struct TensorPlace {
  uint64_t offset = kNoOffset;  // value, bytes in the activation memory; kNoOffset: a part of the batch
  uint64_t bytes = 0;
  uint64_t gradient = kNoOffset;  // sum of the contributions: the first one's place
  std::vector<uint64_t>
      contributions;           // the further ones, added to `gradient` in this order before it is read
  bool zero_gradient = false;  // nobody contributes: `gradient` is a place of its own that stays zero
};

// A parameter in the flat arenas (weights, gradients, one per optimizer slot), in stored order. Offsets count
// f32.
struct ParameterPlace {
  uint64_t offset = 0;
  uint64_t stored = 0;  // elements, padding included
  int step = -1;        // the step that packs it; -1: plain order
  int index = -1;       // the parameter's number for that step
  bool trained = false;
};

// An instance of a loss. Owns self.
class LossInstance {
 public:
  LossInstance(const plait_loss_ops* ops, void* self) : ops_(ops), self_(self) {}
  LossInstance(LossInstance&& other) noexcept;
  LossInstance& operator=(LossInstance&&) = delete;
  ~LossInstance();
  const plait_loss_ops& ops() const { return *ops_; }
  const void* self() const { return self_; }

 private:
  const plait_loss_ops* ops_;
  void* self_;
};

struct LossStep {
  LossStep(int its_head, LossInstance its_instance) : head(its_head), instance(std::move(its_instance)) {}
  int head;  // number in Network::losses
  LossInstance instance;
  uint64_t workspace = kNoOffset;
  // Its contribution to the gradient of each prediction; kNoOffset: not needed, as in evaluation.
  std::vector<uint64_t> gradients;
  bool repeats = false;  // its call queues the same work in every step
};

class Plan {
 public:
  // Creates kernels and lays out memory.
  // Fails with: kUnsupported naming layer and device when the device has no implementation; what plugins
  // report. Threads: [setup only], inside the lanes' arena.
  static Result<std::unique_ptr<Plan>> compile(const Registry& registry, Network network,
                                               const CompileOptions& options);
  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  const Network& network() const { return network_; }
  const CompileOptions& options() const { return options_; }
  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<LossStep>& losses() const { return losses_; }
  const std::vector<TensorPlace>& tensors() const { return tensors_; }
  const std::vector<ParameterPlace>& parameters() const { return parameters_; }
  uint64_t activation_bytes() const { return activation_bytes_; }
  uint64_t prepared_bytes() const { return prepared_bytes_; }
  // f32 elements of the flat parameter arena: trained first, then frozen, then buffers.
  uint64_t arena_elements() const { return arena_elements_; }
  uint64_t trained_elements() const { return trained_elements_; }  // the arena's beginning that updates touch
  uint64_t buffers_offset() const { return buffers_offset_; }

  // Between the flat arena (stored order) and plain arrays per parameter. Host memory. `arena` may end after
  // the parameters that are asked for; what no parameter has is left alone by the calls for one.
  Status pack(size_t parameter, const float* plain, float* arena) const;
  Status unpack(size_t parameter, const float* arena, float* plain) const;
  // The same of one parameter whose stored elements begin at `stored`.
  Status pack_at(size_t parameter, const float* plain, float* stored) const;
  Status unpack_at(size_t parameter, const float* stored, float* plain) const;
  Status pack(const std::vector<std::vector<float>>& plain, float* arena) const;
  Status unpack(const float* arena, std::vector<std::vector<float>>& plain) const;

  // SHA-256 over everything that ranks must agree on: shapes, offsets, stored sizes.
  std::string digest() const;

 private:
  friend class PlanCompiler;
  Plan() = default;
  Network network_;
  CompileOptions options_;
  std::vector<Step> steps_;
  std::vector<LossStep> losses_;
  std::vector<TensorPlace> tensors_;
  std::vector<ParameterPlace> parameters_;
  uint64_t activation_bytes_ = 0, prepared_bytes_ = 0;
  uint64_t arena_elements_ = 0, trained_elements_ = 0, buffers_offset_ = 0;
};

}  // namespace plait::inline plan
