// Node: one call (or few) into a plugin, everything of it made beforehand, and the memory that it touches.
#pragma once
#include <plait/abi.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/device.h"
#include "registry/context.h"

namespace plait::inline graph {

// What differs from one step to the next.
struct StepKey {
  uint64_t seed = 0;
  int64_t step = 0;
  uint64_t shard = 0;
  std::span<const double> runtime;
  int64_t updates = 0;  // of the optimizer's slots since they had their initial values
};

enum class Space { kActivations, kPrepared, kWeights, kGradients, kExtraGradients, kLosses, kObserved };

// A range of memory that a node reads or writes. Units: bytes or elements, the same within a space.
struct MemoryUse {
  Space space;
  uint64_t begin, end;
  bool write;
};

// What all nodes of a replica share.
struct NodeSetup {
  Stream* stream = nullptr;
  int lanes = 1;
  const std::atomic<bool>* cancelled = nullptr;
  bool timed = false;
};

// Threads: run [one at a time]
class Node {
 public:
  // `place` and `phase` begin the message of a failure; `name` and `phase` are in traces.
  Node(const NodeSetup& setup, std::string place, std::string name, const char* phase);
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Does the work with the fixed floating-point state. A plugin that leaves the state changed is told once,
  // in the log.
  // Fails with: what the plugin reports, with place and phase.
  Status run(const StepKey& key);

  const char* name() const { return name_.c_str(); }
  const char* phase() const { return phase_; }
  const std::vector<MemoryUse>& uses() const { return uses_; }
  // Whether it queues the same work in every step, and waits for nothing.
  virtual bool repeats() const { return false; }
  // Whether it comes of gradients that are complete, and changes none: it may run after all that do.
  virtual bool updates() const { return false; }
  // Of the last run, and of all. Zeros unless setup.timed.
  struct Times {
    int64_t begin_ns = 0, end_ns = 0, total_ns = 0, calls = 0;
    int thread = 0;
  };
  const Times& times() const { return times_; }

 protected:
  // PLAIT_OK, or PLAIT_FAILED with the reason in context().
  virtual int call(const StepKey& key) = 0;
  CallContext& context() { return context_; }
  // to += from, on the device; bf16 where the host reaches its memory. Units: elements.
  int add(float* to, const float* from, uint64_t count);
  int add(uint32_t dtype, void* to, const void* from, uint64_t count);
  // Writes zeros past the extents of a batch's samples, on the device; where there is no memory, nothing.
  int zero_past(const plait_tensor& batch);
  void reads(Space space, uint64_t begin, uint64_t count) {
    uses_.push_back({space, begin, begin + count, false});
  }
  void writes(Space space, uint64_t begin, uint64_t count) {
    uses_.push_back({space, begin, begin + count, true});
  }

 private:
  void repair_float_state();

  const NodeSetup setup_;
  const std::string place_, name_;
  const char* phase_;
  CallContext context_;
  std::vector<MemoryUse> uses_;
  Times times_;
  bool told_ = false;
};

}  // namespace plait::inline graph
