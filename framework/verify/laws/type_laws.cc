// Laws of every kind: configurations, creating and destroying.
#include <fmt/format.h>

#include "verify/benches/samples.h"
#include "verify/benches/setup_calls.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/heap.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

Status creates_cleanly(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  PLAIT_ASSIGN(const auto all, setup_calls(trial, 3));
  for (const SetupCalls& calls : all) {
    constexpr int kTimes = 50;
    trial.doing("create and destroy, " + calls.what);
    for (int i = 0; i < 3; ++i) static_cast<void>(calls.make(0));
    const int64_t before = heap_watch()->live_blocks();
    for (int i = 0; i < kTimes; ++i) static_cast<void>(calls.make(0));
    const int64_t left = heap_watch()->live_blocks() - before;
    if (left >= kTimes)
      return broken(fmt::format("leaks: {} blocks more after {} times create and destroy ({})", left, kTimes,
                                calls.what));
  }
  return {};
}

// What stays of a failure that is repeated: the first time may make what is kept for good.
Status check_leak(const SetupCalls& calls, uint64_t k) {
  constexpr int kTimes = 4;
  const int64_t before = heap_watch()->live_blocks();
  for (int i = 0; i < kTimes; ++i) static_cast<void>(calls.make(k));
  const int64_t left = heap_watch()->live_blocks() - before;
  return left < kTimes ? Status()
                       : broken(fmt::format("leaks {} blocks in {} times when allocation {} is refused ({})",
                                            left, kTimes, k, calls.what));
}

Status survives_refusals(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  PLAIT_ASSIGN(const auto all, setup_calls(trial, 2));
  uint64_t places = 0;
  for (const SetupCalls& calls : all) {
    for (uint64_t k = 1; k < 300; ++k, ++places) {
      trial.doing(fmt::format("setup with allocation {} refused, {}", k, calls.what));
      const Status status = calls.make(k);
      if (!heap_watch()->refused()) break;
      if (!status && is_silent(status))
        return broken(fmt::format("fails without saying why when allocation {} is refused", k));
      PLAIT_TRY(check_leak(calls, k));
      PLAIT_TRY(calls.make(0).at(fmt::format("setup after one whose allocation {} was refused", k)));
    }
  }
  trial.remark(fmt::format("{} refusals", places));
  return {};
}

// Every configuration within the ranges is accepted or refused in words.
Status any_configuration(Trial& trial) {
  ConfigSampler sampler(trial.registry(), trial.dice());
  PLAIT_ASSIGN(const auto examples, trial.examples());
  std::vector<std::shared_ptr<plait_config>> configs;
  for (const Example& example : examples) configs.push_back(example.config);
  for (int i = 0; i < 300; ++i) configs.push_back(sampler.random(trial.type()));
  int tried = 0;
  for (const auto& config : configs) {
    if (config == nullptr) continue;
    trial.doing("validate for " + config_text(*config));
    const Status status = validate(trial.type(), *config);
    ++tried;
    if (!status && status.message().find("gave no reason") != std::string::npos)
      return broken("validate refuses " + config_text(*config) + " without saying why");
  }
  if (tried == 0) return skipped("no configuration can be guessed");
  trial.remark(fmt::format("{} configurations", tried));
  return {};
}

}  // namespace

std::vector<Law> type_laws() {
  return {
      {"type", "any_configuration", Severity::kMust,
       "takes any configuration within the ranges, or says why not", any_configuration},
      {"type", "create_leaks_nothing", Severity::kMust, "create and destroy leave nothing behind",
       creates_cleanly},
      {"type", "create_refused_allocation", Severity::kShould,
       "an allocation refused in a call before the first step ends cleanly", survives_refusals},
  };
}

}  // namespace plait::inline verify
