// What a task makes of its records: pairs of one kind of values, or accumulators.
#pragma once
#include <string>
#include <vector>

#include "registry/parts.h"

namespace plait::inline registry {

struct TaskForm {
  struct Accumulator {
    uint32_t rule = 0;  // PLAIT_ACCUMULATE_*
    PartSpec spec;
  };
  uint32_t value = 0;  // PLAIT_VALUE_* of the pairs; 0: there are accumulators
  std::vector<Accumulator> accumulators;
  std::vector<PartSpec> states;
  std::vector<PartSpec> declared_outputs;  // that finish makes; none: the accumulators are the outputs

  bool is_keyed() const { return value != 0; }
  // Of rows the shape is that of one row.
  std::vector<PartSpec> outputs() const;
  bool has_rows(size_t output) const {
    return declared_outputs.empty() && accumulators[output].rule == PLAIT_ACCUMULATE_ROWS;
  }
};

// The form that a task's infer tells through raw().
class TaskFormCollector {
 public:
  TaskFormCollector();
  TaskFormCollector(const TaskFormCollector&) = delete;
  TaskFormCollector& operator=(const TaskFormCollector&) = delete;
  const plait_task_builder* raw() const { return &builder_; }
  // What was told so far; what was refused takes precedence over what the call itself reported.
  // Fails with: kPlugin when it cannot be; else `call`'s failure.
  Result<TaskForm> take(const Status& call);

 private:
  static TaskFormCollector& of(const plait_task_builder* builder);
  int noted(Status status);
  static Status add(std::vector<PartSpec>& specs, const plait_tensor_spec* spec, const char* sort);
  Status add_accumulator(uint32_t rule, const plait_tensor_spec* spec);

  plait_task_builder builder_{};
  TaskForm form_;
  int keyed_ = 0;  // times
  Status refused_;
};

}  // namespace plait::inline registry
