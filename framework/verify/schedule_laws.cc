// Laws of schedules.
#include <fmt/format.h>

#include <cmath>

#include "verify/config_samples.h"
#include "verify/law.h"
#include "verify/samples.h"

namespace plait {
namespace {

constexpr size_t kConfigs = 12;

struct Moment {
  double base;
  int64_t step, total;
  double per_epoch;
};

const std::vector<Moment>& moments() {
  static const std::vector<Moment> all = [] {
    std::vector<Moment> made;
    for (const auto& [total, per_epoch] :
         std::vector<std::pair<int64_t, double>>{{1, 1}, {100, 12.5}, {100000, 0.5}, {7, 1000}})
      for (int64_t place : {int64_t{0}, total / 3, total / 2, total - 1, total, 2 * total})
        made.push_back({0.1, place, total, per_epoch});
    return made;
  }();
  return all;
}

Result<double> value_at(const Instance& schedule, const Moment& moment) {
  plait_schedule_call call{};
  call.struct_size = sizeof call;
  call.base = moment.base;
  call.step = moment.step, call.total_steps = moment.total;
  call.steps_per_epoch = moment.per_epoch;
  double value = 0;
  CallContext context;
  PLAIT_TRY(context
                .call([&] {
                  return schedule.ops<plait_schedule_ops>()->value(schedule.self(), context.raw(), &call,
                                                                   &value);
                })
                .at("value"));
  return value;
}

template <class Check>
Status for_each_schedule(Trial& trial, Check check) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, kConfigs));
  Status refusal = skipped("create refuses what can be guessed");
  int tried = 0;
  for (const Example& one : configs) {
    CallContext context;
    trial.doing("create, " + config_text(*one.config));
    auto schedule =
        create_instance(trial.registry(), trial.entry(), *one.config, trial.name().device_id, context);
    if (!schedule && !is_refusal(schedule.status())) return schedule.status().at("create");
    if (!schedule) continue;
    trial.doing("value, " + config_text(*one.config));
    PLAIT_TRY(check(*schedule).at(config_text(*one.config)));
    ++tried;
  }
  if (tried == 0) return refusal;
  trial.remark(fmt::format("{} configurations", tried));
  return {};
}

// Drawn configurations may grow beyond all bounds; the defaults may not.
Status finite(Trial& trial) {
  return for_each_schedule(trial, [&](const Instance& schedule) -> Status {
    const bool may_grow = config_text(schedule.config()) != "{}";
    for (const Moment& m : moments()) {
      PLAIT_ASSIGN(const double value, value_at(schedule, m));
      if (std::isnan(value) || (std::isinf(value) && !may_grow))
        return broken(
            fmt::format("step {} of {} ({} an epoch) gives {}", m.step, m.total, m.per_epoch, value));
    }
    return {};
  });
}

Status same_again(Trial& trial) {
  return for_each_schedule(trial, [&](const Instance& schedule) -> Status {
    std::vector<double> wanted;
    for (const Moment& m : moments()) {
      PLAIT_ASSIGN(const double value, value_at(schedule, m));
      wanted.push_back(value);
    }
    const std::string fault = at_once(4, [&](size_t n) -> std::string {
      for (size_t i = 0; i < 20 * moments().size(); ++i) {
        const size_t at = (i * 7 + n) % moments().size();  // in another order
        const auto value = value_at(schedule, moments()[at]);
        if (!value) return value.status().message();
        if (*value != wanted[at])
          return fmt::format("step {} of {} gives {} once and {} once", moments()[at].step,
                             moments()[at].total, wanted[at], *value);
      }
      return "";
    });
    return fault.empty() ? Status() : broken(fault + ": a value may depend on nothing but its call");
  });
}

// The same step of runs of other lengths. Steps an epoch do not follow from the number of steps.
Status ignores_total(Trial& trial) {
  return for_each_schedule(trial, [&](const Instance& schedule) -> Status {
    const auto* ops = schedule.ops<plait_schedule_ops>();
    if (!PLAIT_HAS(ops, ignores_total) || ops->ignores_total(schedule.self()) == 0) return {};
    for (Moment m : moments()) {
      PLAIT_ASSIGN(const double wanted, value_at(schedule, m));
      const int64_t total = m.total;
      for (m.total = 1; m.total <= 1000000; m.total = 10 * m.total + 3) {
        PLAIT_ASSIGN(const double value, value_at(schedule, m));
        if (value != wanted)
          return broken(
              fmt::format("says that it ignores the number of steps, and gives {} at step {} of {}, {} of {}",
                          wanted, m.step, total, value, m.total));
      }
    }
    return {};
  });
}

}  // namespace

std::vector<Law> schedule_laws() {
  return {
      {"schedule", "finite", Severity::kMust, "values are numbers at every step, behind the last too",
       finite},
      {"schedule", "same_again", Severity::kMust,
       "the same call gives the same value, in any order and on any thread", same_again},
      {"schedule", "ignores_total", Severity::kMust,
       "values are the same however many steps there are, where the schedule says so", ignores_total},
  };
}

}  // namespace plait
