// Child plugins that stand in a configuration: an augmenter in a container, a schedule in a warm-up.
//
//   Child<Augmenter> inner;                    // one; absent is false
//   std::vector<Child<Augmenter>> steps;       // any number
//
// During infer (before instances exist) a child may be absent or have no instance: then only infer works.
// Ownership: the host's; made before its parent and destroyed after it.
#pragma once
#include <string_view>

#include "error.hpp"

namespace plait::sdk {

// Kinds that a field may ask for. augmenter.hpp and schedule.hpp give Child<Augmenter> and Child<Schedule>
// more.
struct Layer {
  static constexpr const char* kKind = "layer";
  using Ops = plait_layer_ops;
};
struct Loss {
  static constexpr const char* kKind = "loss";
  using Ops = plait_loss_ops;
};
struct Metric {
  static constexpr const char* kKind = "metric";
  using Ops = plait_metric_ops;
};
struct Optimizer {
  static constexpr const char* kKind = "optimizer";
  using Ops = plait_optimizer_ops;
};
struct Schedule {
  static constexpr const char* kKind = "schedule";
  using Ops = plait_schedule_ops;
};
struct Augmenter {
  static constexpr const char* kKind = "augmenter";
  using Ops = plait_augmenter_ops;
};
struct Source {
  static constexpr const char* kKind = "source";
  using Ops = plait_source_ops;
};
struct Task {
  static constexpr const char* kKind = "task";
  using Ops = plait_task_ops;
};
struct Combiner {
  static constexpr const char* kKind = "combiner";
  using Ops = plait_combiner_ops;
};
struct Reducer {
  static constexpr const char* kKind = "reducer";
  using Ops = plait_reducer_ops;
};
struct Pretrainer {
  static constexpr const char* kKind = "pretrainer";
  using Ops = plait_pretrainer_ops;
};
struct Device {
  static constexpr const char* kKind = "device";
  using Ops = plait_device_ops;
};

template <class Kind>
class ChildBase {
 public:
  using Ops = typename Kind::Ops;
  static constexpr const char* kKind = Kind::kKind;

  ChildBase() = default;
  explicit ChildBase(const plait_child* child) : c_(child) {}
  explicit operator bool() const { return c_ != nullptr; }
  std::string_view id() const { return c_ ? c_->id : ""; }
  const plait_child* c() const { return c_; }

 protected:
  // The child's table, once it has an instance.
  const Ops& ops() const {
    if (!c_ || !c_->self || !c_->ops) throw Error("a child ", Kind::kKind, " was used before it was made");
    return *static_cast<const Ops*>(c_->ops);
  }

 private:
  const plait_child* c_ = nullptr;
};

template <class Kind>
class Child : public ChildBase<Kind> {
 public:
  using ChildBase<Kind>::ChildBase;
};

}  // namespace plait::sdk
