// An optimizer plugin with its schedules: what an update needs, shared by all replicas.
#pragma once
#include <plait/abi.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/evaluation_history.h"
#include "pipeline/job.h"
#include "registry/context.h"
#include "registry/instance.h"
#include "registry/registry.h"

namespace plait::inline graph {

struct SlotInfo {
  std::string name;
  uint32_t reduce = PLAIT_REDUCE_MEAN32;
  double initial = 0;
};

// Where in the training a step is, for schedules.
struct Progress {
  int64_t step = 0;
  int64_t total_steps = 0;
  double steps_per_epoch = 0;
  const EvaluationHistory* evaluations = nullptr;  // null: none
};

// A value of validations that a schedule looks at.
struct Monitored {
  std::string name;  // "": the one that picks the best weights
  std::string schedule;
  Location where;
};

// Threads: create [setup only]; everything else [any].
class OptimizerInstance {
 public:
  // Fails with: kInvalid when a schedule names a field that may not change from step to step, or that has a
  // schedule already; what the plugins report.
  static Result<std::unique_ptr<OptimizerInstance>> create(const Registry& registry,
                                                           const PluginSpec& optimizer,
                                                           const std::vector<ScheduleSpec>& schedules,
                                                           const std::string& device_id);
  const std::vector<SlotInfo>& slots() const { return slots_; }
  // Whether every round begins with all of them at their initial values, by the rules that they declare.
  bool resets_slots() const;
  bool elementwise() const { return (flags_ & PLAIT_OPTIMIZER_ELEMENTWISE) != 0; }
  // Wants whole parameters in plain order.
  bool plain() const { return (flags_ & PLAIT_OPTIMIZER_PLAIN) != 0; }
  // Wants a second gradient, at weights that `move` makes.
  bool moves() const { return PLAIT_HAS(&ops(), move); }
  const std::string id() const { return instance_.entry().type->id; }
  bool needs_all_gradients() const { return (flags_ & PLAIT_OPTIMIZER_NEEDS_ALL_GRADIENTS) != 0; }
  size_t runtime_fields() const { return runtime_base_.size(); }
  // The first schedule that does not say that its values are the same however many steps there are:
  // "the schedule of rate, plait.cosine (FILE:LINE:COLUMN)"; "" where every one does.
  std::string length_bound_schedule() const;
  // In the order of the schedules.
  std::vector<Monitored> monitored() const;
  // What schedules mean that monitor "". Threads: [setup only]
  void set_monitor(const std::string& name) { monitor_ = name; }
  // The first schedule that wants training to end before this step, "plait.early_stopping
  // (FILE:LINE:COLUMN)"; "": none does.
  Result<std::string> wants_end(const Progress& progress) const;
  // Number of the runtime field "rate" (what layers' rate_multiplier scales), or -1.
  int rate_field() const { return rate_field_; }
  // Values of the runtime fields at a step, schedules applied, in field order: values.size() ==
  // runtime_fields(). Does not allocate unless it fails.
  Status runtime(const Progress& progress, std::span<double> values) const;
  // One call of the plugin: PLAIT_OK, or PLAIT_FAILED with the reason in the context. Does not allocate.
  int step(CallContext& context, const plait_optimizer_call& call) const {
    return ops().step(instance_.self(), context.raw(), &call);
  }
  int move(CallContext& context, const plait_optimizer_call& call) const {
    return ops().move(instance_.self(), context.raw(), &call);
  }
  int observe(CallContext& context, const plait_optimizer_call& call, double* sum) const {
    return ops().observe(instance_.self(), context.raw(), &call, sum);
  }

 private:
  static constexpr size_t kNoField = ~size_t{0};
  struct Scheduled {
    size_t field;  // kNoField: it may end training, and has no value
    Instance schedule;
    Location where;
    bool monitors = false;
    std::string monitor{};
    const plait_schedule_ops& ops() const { return *schedule.ops<plait_schedule_ops>(); }
    std::string name() const;
  };

  OptimizerInstance() = default;
  const plait_optimizer_ops& ops() const { return *instance_.ops<plait_optimizer_ops>(); }
  Status describe(const plait_type& type);
  void find_runtime_fields(const plait_type& type);
  Status add_schedule(const Registry& registry, const ScheduleSpec& schedule);
  Result<size_t> field_of(const ScheduleSpec& schedule) const;
  plait_schedule_call call_of(const Scheduled& scheduled, const Progress& progress) const;

  uint32_t flags_ = 0;
  Instance instance_;
  std::vector<SlotInfo> slots_;
  std::vector<std::string> runtime_names_;
  std::vector<double> runtime_base_;
  int rate_field_ = -1;
  std::vector<Scheduled> schedules_;
  std::string monitor_;
};

}  // namespace plait::inline graph
