// Laws of schedules.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "graph/evaluation_history.h"
#include "verify/benches/samples.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr size_t kConfigs = 12;

struct Moment {
  double base;
  int64_t step, total;
  double per_epoch;
  size_t validations;
  std::string text() const {
    return fmt::format("step {} of {} ({} an epoch, {} validations before)", step, total, per_epoch,
                       validations);
  }
};

// Better and worse ones, one without a number, and a long time without an improvement.
constexpr std::array<double, 12> kSeries = {
    1, 0.5, 0.75, 0.5, std::numeric_limits<double>::quiet_NaN(), 0.1, 0.25, 2, 2, 2, 2, -1};
constexpr size_t kValidations = kSeries.size();

const std::vector<Moment>& moments() {
  static const std::vector<Moment> all = [] {
    std::vector<Moment> made;
    for (const auto& [total, per_epoch] :
         std::vector<std::pair<int64_t, double>>{{1, 1}, {100, 12.5}, {100000, 0.5}, {7, 1000}})
      for (int64_t place : {int64_t{0}, total / 3, total / 2, total - 1, total, 2 * total})
        for (size_t validations : {size_t{0}, size_t{1}, size_t{4}, kValidations})
          made.push_back({0.1, place, total, per_epoch, validations});
    return made;
  }();
  return all;
}

const char* monitor_of(const Instance& schedule) {
  const auto* ops = schedule.ops<plait_schedule_ops>();
  return PLAIT_HAS(ops, monitor) ? ops->monitor(schedule.self()) : nullptr;
}

// What a host shows: the value that is monitored, else all.
class Calls {
 public:
  explicit Calls(const Instance& schedule) : schedule_(schedule) {
    const char* const monitor = monitor_of(schedule);
    const std::string name = monitor == nullptr || *monitor == '\0' ? "loss" : monitor;
    for (size_t i = 0; i < kValidations; ++i) {
      const auto step = static_cast<int64_t>(10 * (i + 1));
      if (monitor == nullptr) history_.add("accuracy", true, step, kSeries[i]);
      history_.add(name, false, step, kSeries[i]);
    }
    shown_ = monitor == nullptr ? 2 : 1;
  }
  Result<double> value(const Moment& moment) const {
    const plait_schedule_call call = at(moment);
    double value = 0;
    CallContext context;
    PLAIT_TRY(context.call([&] { return ops().value(schedule_.self(), context.raw(), &call, &value); })
                  .at("value"));
    return value;
  }
  bool may_stop() const { return PLAIT_HAS(&ops(), stop); }
  Result<int32_t> stop(const Moment& moment) const {
    const plait_schedule_call call = at(moment);
    int32_t stop = -1;
    CallContext context;
    PLAIT_TRY(
        context.call([&] { return ops().stop(schedule_.self(), context.raw(), &call, &stop); }).at("stop"));
    return stop;
  }

 private:
  const plait_schedule_ops& ops() const { return *schedule_.ops<plait_schedule_ops>(); }
  plait_schedule_call at(const Moment& moment) const {
    const EvaluationHistory::View seen = history_.all().first(shown_ * moment.validations);
    plait_schedule_call call{};
    call.struct_size = sizeof call;
    call.base = moment.base;
    call.step = moment.step, call.total_steps = moment.total;
    call.steps_per_epoch = moment.per_epoch;
    call.n_evaluations = static_cast<uint32_t>(seen.size());
    call.evaluations = seen.data();
    return call;
  }
  const Instance& schedule_;
  EvaluationHistory history_;
  size_t shown_ = 1;  // values of a validation
};

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
    const Calls calls(schedule);
    for (const Moment& m : moments()) {
      PLAIT_ASSIGN(const double value, calls.value(m));
      if (std::isnan(value) || (std::isinf(value) && !may_grow))
        return broken(fmt::format("{} gives {}", m.text(), value));
    }
    return {};
  });
}

// Asks for all moments in turn, then in another order on several threads.
template <class Answer>
Status answers_again(Answer answer, const char* rule) {
  std::vector<double> wanted;
  for (const Moment& m : moments()) {
    PLAIT_ASSIGN(const double value, answer(m));
    wanted.push_back(value);
  }
  const std::string fault = at_once(4, [&](size_t n) -> std::string {
    for (size_t i = 0; i < 8 * moments().size(); ++i) {
      const size_t at = (i * 7 + n) % moments().size();
      const Result<double> value = answer(moments()[at]);
      if (!value) return value.status().message();
      if (*value != wanted[at])
        return fmt::format("{} gives {} once and {} once", moments()[at].text(), wanted[at], *value);
    }
    return "";
  });
  return fault.empty() ? Status() : broken(fault + rule);
}

Status same_again(Trial& trial) {
  return for_each_schedule(trial, [&](const Instance& schedule) -> Status {
    const Calls calls(schedule);
    return answers_again([&](const Moment& m) { return calls.value(m); },
                         ": a value may depend on nothing but its call");
  });
}

// The same step of runs of other lengths. Steps an epoch do not follow from the number of steps.
template <class Answer>
Status ignores_total_in(Answer answer) {
  for (Moment m : moments()) {
    PLAIT_ASSIGN(const double wanted, answer(m));
    const int64_t total = m.total;
    for (m.total = 1; m.total <= 1000000; m.total = 10 * m.total + 3) {
      PLAIT_ASSIGN(const double value, answer(m));
      if (value != wanted)
        return broken(
            fmt::format("says that it ignores the number of steps, and gives {} at step {} of {}, {} of {}",
                        wanted, m.step, total, value, m.total));
    }
  }
  return {};
}

Result<double> as_number(const Result<int32_t>& stop) {
  if (!stop) return stop.status();
  return static_cast<double>(*stop);
}

Status ignores_total(Trial& trial) {
  return for_each_schedule(trial, [&](const Instance& schedule) -> Status {
    const auto* ops = schedule.ops<plait_schedule_ops>();
    if (!PLAIT_HAS(ops, ignores_total) || ops->ignores_total(schedule.self()) == 0) return {};
    const Calls calls(schedule);
    PLAIT_TRY(ignores_total_in([&](const Moment& m) { return calls.value(m); }));
    if (!calls.may_stop()) return {};
    return ignores_total_in([&](const Moment& m) { return as_number(calls.stop(m)); }).at("stop");
  });
}

Status stop(Trial& trial) {
  return for_each_schedule(trial, [&](const Instance& schedule) -> Status {
    const Calls calls(schedule);
    if (!calls.may_stop()) return {};
    for (const Moment& m : moments()) {
      PLAIT_ASSIGN(const int32_t stop, calls.stop(m));
      if (stop != 0 && stop != 1) return broken(fmt::format("{} gives {}, wanted 0 or 1", m.text(), stop));
      if (stop == 1 && m.step == 0 && m.total > 1 && m.validations == 0)
        return broken("wants training to end before its first step: nothing would ever be trained");
    }
    return answers_again([&](const Moment& m) { return as_number(calls.stop(m)); },
                         ": whether training ends may depend on nothing but the call, or ranks would differ");
  });
}

std::string monitor_words(const char* name) {
  return name == nullptr ? "nothing" : fmt::format("\"{}\"", name);
}

Status monitor(Trial& trial) {
  return for_each_schedule(trial, [&](const Instance& schedule) -> Status {
    if (const auto* ops = schedule.ops<plait_schedule_ops>(); !PLAIT_HAS(ops, monitor)) return {};
    const char* const first = monitor_of(schedule);  // null: at no validations
    const std::string wanted = first == nullptr ? "" : first;
    const Calls calls(schedule);
    for (const Moment& m : moments()) PLAIT_TRY(calls.value(m).status());
    const char* const again = monitor_of(schedule);
    if ((first == nullptr) != (again == nullptr) || (again != nullptr && wanted != again))
      return broken(fmt::format("monitors {} once and {} once: the host asks one time, and goes by it",
                                monitor_words(first == nullptr ? nullptr : wanted.c_str()),
                                monitor_words(again)));
    if (first != nullptr && wanted != first)
      return broken("what monitor returns does not live as long as the instance");
    return {};
  });
}

}  // namespace

std::vector<Law> schedule_laws() {
  return {
      {"schedule", "finite", Severity::kMust, "values are numbers at every step, after the last too", finite},
      {"schedule", "same_again", Severity::kMust,
       "the same call gives the same value, in any order and on any thread", same_again},
      {"schedule", "ignores_total", Severity::kMust,
       "values are the same however many steps there are, where the schedule says so", ignores_total},
      {"schedule", "stop", Severity::kMust,
       "whether training ends is the same for the same call, and never before the first step", stop},
      {"schedule", "monitor", Severity::kMust, "the value that it looks at has one name", monitor},
  };
}

}  // namespace plait::inline verify
