// Schedules: the value of a runtime field from step to step.
//
//   double value(const ScheduleCall& call) const;              // or, for schedules with children:
//   double value(Context& c, const ScheduleCall& call) const;
//   bool ignores_total() const;  // optional: true when values do not depend on call.total_steps, so that a
//                                // finished run may be prolonged; without it they are taken to
//   const char* monitor() const;
//       // optional: the name of the value of validations that it looks at, which call.evaluations then holds
//       // alone; "": the one that picks the best weights; nullptr: none. A job without it is refused. Lives as
//       // long as the struct: a string field's c_str()
//   bool stop(const ScheduleCall& call) const;  // or with Context&, as value
//       // optional: true where training should end before this step. Asked at the first step of a round
//
// A schedule that has stop needs no value (it then leaves its field as it is), and is in a file without a
// field unless one is written.
//
// Pure: the same call gives the same value. All ranks call with the same evaluations, also after a run was
// stopped and resumed.
// Threads: [any]
#pragma once
#include <cmath>
#include <concepts>
#include <limits>
#include <span>
#include <string_view>

#include "child.hpp"
#include "entry.hpp"

namespace plait::sdk {

// A value of a validation that was made.
struct Evaluation {
  std::string_view name;  // "loss", "accuracy", ... as reports have it
  int64_t step;           // it was made after so many steps
  double value;
  bool higher_is_better;

  // By how much it is better than `other`: negative where it is worse, NaN where one of them is.
  double gain_on(double other) const { return higher_is_better ? value - other : other - value; }
};

// The best of evaluations of one value, taken one by one.
class BestSoFar {
 public:
  explicit BestSoFar(double least_gain = 0) : least_gain_(least_gain) {}
  // True where it is better than the best before by least_gain or more, or the first: it is the best then.
  // NaN never is.
  bool take(const Evaluation& evaluation) {
    const double gain = evaluation.gain_on(best_);
    const bool is_first = std::isnan(best_) && !std::isnan(evaluation.value);
    if (!is_first && !(gain > 0 && gain >= least_gain_)) return false;
    best_ = evaluation.value;
    return true;
  }

 private:
  double least_gain_;
  double best_ = std::numeric_limits<double>::quiet_NaN();
};

// Of all validations of the stage before the round in which the step lies, oldest first: of the value that
// the schedule monitors, else all values. A view.
class Evaluations {
 public:
  using Raw = std::span<const plait_evaluation* const>;
  Evaluations() = default;
  explicit Evaluations(Raw raw) : raw_(raw) {}

  size_t size() const { return raw_.size(); }
  bool empty() const { return raw_.empty(); }
  Evaluation operator[](size_t i) const {
    const plait_evaluation& one = *raw_[i];
    return {one.name, one.step, one.value, one.higher_is_better != 0};
  }
  Raw raw() const { return raw_; }

 private:
  Raw raw_;
};

struct ScheduleCall {
  double base;             // the value in the file
  int64_t step;            // 0-based
  int64_t total_steps;     // of the stage
  double steps_per_epoch;  // may be a fraction
  Evaluations evaluations{};

  double epoch() const { return steps_per_epoch > 0 ? static_cast<double>(step) / steps_per_epoch : 0; }
  // 0 at the first step, 1 at the last.
  double progress() const {
    return total_steps > 1 ? static_cast<double>(step) / static_cast<double>(total_steps - 1) : 1;
  }
  // The same step with another base.
  ScheduleCall with_base(double value) const {
    return {value, step, total_steps, steps_per_epoch, evaluations};
  }
};

template <>
class Child<Schedule> : public ChildBase<Schedule> {
 public:
  using ChildBase<Schedule>::ChildBase;
  double value(Context& c, const ScheduleCall& call) const {
    const plait_schedule_call raw = raw_of(call);
    double result = 0;
    if (ops().value(this->c()->self, c.c(), &raw, &result) != PLAIT_OK) throw Error(id(), " failed");
    return result;
  }
  bool ignores_total() const {
    return PLAIT_HAS(&ops(), ignores_total) && ops().ignores_total(this->c()->self) != 0;
  }
  // nullptr: it looks at no validations. A schedule hands on what its child monitors, so that the child is
  // given that value.
  const char* monitor() const {
    return PLAIT_HAS(&ops(), monitor) ? ops().monitor(this->c()->self) : nullptr;
  }
  // False where it never ends training.
  bool stop(Context& c, const ScheduleCall& call) const {
    if (!PLAIT_HAS(&ops(), stop)) return false;
    const plait_schedule_call raw = raw_of(call);
    int32_t result = 0;
    if (ops().stop(this->c()->self, c.c(), &raw, &result) != PLAIT_OK) throw Error(id(), " failed");
    return result != 0;
  }

 private:
  static plait_schedule_call raw_of(const ScheduleCall& call) {
    plait_schedule_call raw{};
    raw.struct_size = sizeof raw;
    raw.base = call.base;
    raw.step = call.step;
    raw.total_steps = call.total_steps;
    raw.steps_per_epoch = call.steps_per_epoch;
    raw.n_evaluations = static_cast<uint32_t>(call.evaluations.size());
    raw.evaluations = call.evaluations.raw().data();
    return raw;
  }
};

namespace detail {

template <class T>
concept SchedulesAlone = requires(const T& t, const ScheduleCall& call) {
  { t.value(call) } -> std::convertible_to<double>;
};
template <class T>
concept SchedulesInContext = requires(const T& t, Context& c, const ScheduleCall& call) {
  { t.value(c, call) } -> std::convertible_to<double>;
};

template <class T>
concept StopsAlone = requires(const T& t, const ScheduleCall& call) {
  { t.stop(call) } -> std::same_as<bool>;
};
template <class T>
concept StopsInContext = requires(const T& t, Context& c, const ScheduleCall& call) {
  { t.stop(c, call) } -> std::same_as<bool>;
};
template <class T>
concept MonitorsValue = requires(const T& t) {
  { t.monitor() } -> std::same_as<const char*>;
};

inline ScheduleCall schedule_call(const plait_schedule_call* call) {
  const Evaluations::Raw evaluations(call->evaluations, call->n_evaluations);
  return {call->base, call->step, call->total_steps, call->steps_per_epoch, Evaluations(evaluations)};
}

template <class T>
int schedule_value(const void* self, plait_context* context, const plait_schedule_call* call,
                   double* value) noexcept {
  return guard(context, [&] {
    if constexpr (SchedulesAlone<T>) {
      *value = as<T>(self).value(schedule_call(call));
    } else if constexpr (SchedulesInContext<T>) {
      Context c(context);
      *value = as<T>(self).value(c, schedule_call(call));
    } else {
      *value = call->base;
    }
  });
}

template <class T>
int schedule_stop(const void* self, plait_context* context, const plait_schedule_call* call,
                  int32_t* stop) noexcept {
  return guard(context, [&] {
    if constexpr (StopsAlone<T>) {
      *stop = as<T>(self).stop(schedule_call(call)) ? 1 : 0;
    } else {
      Context c(context);
      *stop = as<T>(self).stop(c, schedule_call(call)) ? 1 : 0;
    }
  });
}

template <class T>
concept KnowsOfTotal = requires(const T& t) {
  { t.ignores_total() } -> std::convertible_to<bool>;
};

template <class T>
constexpr void check_schedule() {
  static_assert(!(SchedulesAlone<T> && SchedulesInContext<T>),
                "value is there twice, one of them is never called: with Context& or without");
  PLAIT_SDK_CHECK_CALL(value, const T, "double value(const ScheduleCall& call) const", Real,
                       const ScheduleCall&);
  PLAIT_SDK_CHECK_CALL(value, const T, "double value(Context& c, const ScheduleCall& call) const", Real,
                       Context&, const ScheduleCall&);
  static_assert(!(StopsAlone<T> && StopsInContext<T>),
                "stop is there twice, one of them is never called: with Context& or without");
  static_assert(!names_stop<T>() || Hook_stop::fits<const T, const ScheduleCall&>() ||
                    Hook_stop::fits<const T, Context&, const ScheduleCall&>(),
                "stop is not: bool stop(const ScheduleCall& call) const");
  PLAIT_SDK_CHECK_CALL(stop, const T, "bool stop(const ScheduleCall& call) const", bool, const ScheduleCall&);
  PLAIT_SDK_CHECK_CALL(stop, const T, "bool stop(Context& c, const ScheduleCall& call) const", bool, Context&,
                       const ScheduleCall&);
  static_assert(!has_monitor<T>() || Hook_monitor::fits<const T>(),
                "monitor is not: const char* monitor() const");
  PLAIT_SDK_CHECK_CALL(monitor, const T, "const char* monitor() const", const char*);
  static_assert(!has_ignores_total<T>() || KnowsOfTotal<T>,
                "ignores_total is not: bool ignores_total() const");
  PLAIT_SDK_CHECK_CALL(ignores_total, const T, "bool ignores_total() const", bool);
  check_open<T>();
}

template <class T>
int32_t schedule_ignores_total(const void* self) noexcept {
  return as<T>(self).ignores_total() ? 1 : 0;
}

template <class T>
const char* schedule_monitor(const void* self) noexcept {
  return as<T>(self).monitor();
}

template <class T>
const plait_schedule_ops* schedule_ops() {
  static const plait_schedule_ops ops = [] {
    plait_schedule_ops table{};
    table.struct_size = sizeof table;
    table.create = &create_thunk<T>;
    table.destroy = &destroy_thunk<T>;
    table.value = &schedule_value<T>;
    if constexpr (KnowsOfTotal<T>) table.ignores_total = &schedule_ignores_total<T>;
    if constexpr (MonitorsValue<T>) table.monitor = &schedule_monitor<T>;
    if constexpr (StopsAlone<T> || StopsInContext<T>) table.stop = &schedule_stop<T>;
    return table;
  }();
  return &ops;
}

}  // namespace detail

// A schedule type and its implementation.
template <class T>
Entry schedule(const char* id) {
  static_assert(detail::SchedulesAlone<T> || detail::SchedulesInContext<T> ||
                    (!detail::names_value<T>() && detail::names_stop<T>()),
                "a schedule needs: double value(const ScheduleCall& call) const, or bool stop(const "
                "ScheduleCall& call) const");
  detail::check_schedule<T>();
  return detail::make_entry<T>("schedule", id, nullptr, kCpu, detail::schedule_ops<T>());
}

}  // namespace plait::sdk
