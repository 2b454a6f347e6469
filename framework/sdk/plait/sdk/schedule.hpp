// Schedules: the value of a runtime field from step to step.
//
//   double value(const ScheduleCall& call) const;              // or, for schedules with children:
//   double value(Context& c, const ScheduleCall& call) const;
//   bool ignores_total() const;  // optional: true when values do not depend on call.total_steps, so that a
//                                // finished run may be prolonged; without it they are taken to
//
// Pure: the same call gives the same value.
// Threads: [any]
#pragma once
#include "child.hpp"
#include "entry.hpp"

namespace plait::sdk {

struct ScheduleCall {
  double base;             // the value in the file
  int64_t step;            // 0-based
  int64_t total_steps;     // of the stage
  double steps_per_epoch;  // may be a fraction

  double epoch() const { return steps_per_epoch > 0 ? static_cast<double>(step) / steps_per_epoch : 0; }
  // 0 at the first step, 1 at the last.
  double progress() const {
    return total_steps > 1 ? static_cast<double>(step) / static_cast<double>(total_steps - 1) : 1;
  }
  // The same step with another base.
  ScheduleCall with_base(double value) const { return {value, step, total_steps, steps_per_epoch}; }
};

template <>
class Child<Schedule> : public ChildBase<Schedule> {
 public:
  using ChildBase<Schedule>::ChildBase;
  double value(Context& c, const ScheduleCall& call) const {
    plait_schedule_call raw{};
    raw.struct_size = sizeof raw;
    raw.base = call.base;
    raw.step = call.step;
    raw.total_steps = call.total_steps;
    raw.steps_per_epoch = call.steps_per_epoch;
    double result = 0;
    if (ops().value(this->c()->self, c.c(), &raw, &result) != PLAIT_OK) throw Error(id(), " failed");
    return result;
  }
  bool ignores_total() const {
    return PLAIT_HAS(&ops(), ignores_total) && ops().ignores_total(this->c()->self) != 0;
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
int schedule_value(const void* self, plait_context* context, const plait_schedule_call* call,
                   double* value) noexcept {
  return guard(context, [&] {
    const ScheduleCall view{call->base, call->step, call->total_steps, call->steps_per_epoch};
    if constexpr (SchedulesAlone<T>) {
      *value = as<T>(self).value(view);
    } else {
      Context c(context);
      *value = as<T>(self).value(c, view);
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
const plait_schedule_ops* schedule_ops() {
  static const plait_schedule_ops ops = [] {
    plait_schedule_ops table{};
    table.struct_size = sizeof table;
    table.create = &create_thunk<T>;
    table.destroy = &destroy_thunk<T>;
    table.value = &schedule_value<T>;
    if constexpr (KnowsOfTotal<T>) table.ignores_total = &schedule_ignores_total<T>;
    return table;
  }();
  return &ops;
}

}  // namespace detail

// A schedule type and its implementation.
template <class T>
Entry schedule(const char* id) {
  static_assert(detail::SchedulesAlone<T> || detail::SchedulesInContext<T>,
                "a schedule needs: double value(const ScheduleCall& call) const");
  detail::check_schedule<T>();
  return detail::make_entry<T>("schedule", id, nullptr, kCpu, detail::schedule_ops<T>());
}

}  // namespace plait::sdk
