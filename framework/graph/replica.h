// graph/: plans become oneTBB flow graphs. The only folder that includes flow_graph.h.
//
// A Replica is one copy of a network in memory with the flow graph that runs its steps: a node per forward
// step, per loss, per backward step and per update. The update of a layer fires as soon as its gradients are
// complete; independent branches run side by side when there is more than one lane. After construction
// nothing allocates.
//
// An optimizer that wants a second gradient has a step of two passes through the graph, and its updates after
// them. Updates may be left to a call of their own, for whoever changes gradients first: adds up those of
// several batches, or clips them.
//
// How it is made of parts: replica_memory (where everything lies), node and its kinds layer_node, loss_node,
// update_node with optimizer_calls and plain_copy (prebuilt calls into plugins), node_list (all of them in
// the order of one thread), node_order (which must wait for which), step_graph (the flow graph).
#pragma once
#include <plait/abi.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/device.h"
#include "graph/optimizer.h"
#include "plan/plan.h"

namespace plait::inline graph {

// Of the samples of a batch, along a tensor's first and second variable axis, host memory; null: all full.
using Extents = std::array<const int32_t*, 2>;

// One batch: a pointer per part of the samples, device memory, [N, ...], and the samples' extents where a
// part varies.
struct Batch {
  std::vector<void*> parts;
  std::vector<Extents> extents;
  size_t bucket = 0;           // its extents along variable axes: see plan/buckets.h
  int64_t first_position = 0;  // of the batch's samples in the endless sequence, for messages
};

struct StepResult {
  double loss_sum = 0;  // weighted sum over losses of sums over samples
  // Of the first loss: samples, or valid elements; of one whose samples have weights the whole batch.
  double samples = 0;
  // What each loss adds to loss_sum, without its weight. Valid until the next run, as the next two.
  std::span<const double> losses;
  std::span<const double> sums, counts;  // what each loss has reported
};

// What a node did in one step, for traces.
struct TraceEvent {
  const char* layer;  // lives as long as the replica
  const char* phase;  // "forward", "loss", "backward", "update"
  int thread;         // place in the lanes' arena
  int64_t begin_ns, end_ns;
};

// What a node did since the replica was made, for profiles. Units: ns.
struct NodeTime {
  const char* layer;
  const char* phase;
  int64_t calls, total_ns;
};

class Replica {
 public:
  struct Options {
    const OptimizerInstance* optimizer = nullptr;  // null: gradients are left in the arena, or evaluation
    bool updates_apart = false;                    // they are update()'s; run leaves the gradients
    bool trace = false;                            // keep an event per node and step
    bool profile = false;                          // add up the time of every node
    const std::atomic<bool>* cancelled = nullptr;
    // Weights, gradients and slots are this replica's, whose plan keeps parameters at the same places (see
    // PlanCache) and whose optimizer is the same; for a plan of evaluation it is enough that its weights are
    // as large. It outlives the new one.
    Replica* share_with = nullptr;
    // On a device of host memory, of a plan whose weights no step changes: they lie here, 64-byte aligned,
    // and others change them between steps. Null: the replica has an arena for them.
    float* weights_at = nullptr;
    // Called in each step on a device whose work the host only queues, while that is under way: the next
    // batch can be made meanwhile. Must not throw.
    std::function<void()> meanwhile = {};
  };
  // Memory on `device`, and the graph, inside an arena of plan.options().lanes threads. Weights begin as
  // zeros, slots at their initial values. Plan, device and optimizer must outlive the replica.
  // Fails with: kPlugin when the device refuses memory.
  // Threads: [setup only]
  static Result<std::unique_ptr<Replica>> create(const Plan& plan, Device& device, const Options& options);
  ~Replica();

  // Runs one step: forward, loss, and for a training plan backward and (with an optimizer) update. Returns
  // when the device is done. seed/step/shard key the random numbers; runtime holds the optimizer's runtime
  // fields at this update; `updates` counts those since the slots had their initial values, `step` if absent.
  // Fails with: what a plugin reported, naming layer and phase; kInvalid for a target that the loss refuses
  // (its place in the batch); kNumeric for a loss that is not finite; kStopped when cancelled. Of several
  // failures the first in the order of one thread is told. After a failure the weights are of no use.
  // Threads: [one at a time]
  Result<StepResult> run(const Batch& batch, uint64_t seed, int64_t step, uint64_t shard,
                         std::span<const double> runtime, std::optional<int64_t> updates = {});

  // The updates of Options::updates_apart, with the gradients as they are in the arena now; `loss` is the
  // mean whose they are. Fails with: as run; after a failure the weights are of no use. Threads: [one at a
  // time]
  Status update(int64_t step, std::span<const double> runtime, int64_t updates, double loss);

  // Flat arenas on the device, in stored order: weights with buffers (plan.arena_elements()); gradients and
  // one per optimizer slot (plan.trained_elements()).
  float* weights();
  uint64_t weight_elements() const;  // of the plan whose weights they are
  float* gradients();
  float* slot(size_t index);
  size_t slots() const;
  // After weights() was written from outside: runs the layers' prepare.
  Status weights_changed();
  // The stream that the steps run on, for copies from and to the arenas. Not while run is under way.
  Stream& stream();

  // Value of a tensor of the last step, device memory; lengths along its variable axis (host memory, null:
  // all full).
  const void* tensor(int index) const;
  Extents tensor_extents(int index) const;

  const std::vector<TraceEvent>& trace() const;
  void clear_trace();
  std::vector<NodeTime> profile() const;

 private:
  struct Body;
  explicit Replica(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace plait::inline graph
