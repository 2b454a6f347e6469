// Laws of every kind, tried on its work (worker.h): cancellation, numbers of any bits, instances side by
// side.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "graph/float_state.h"
#include "verify/benches/samples.h"
#include "verify/benches/worker.h"
#include "verify/engine/cancellation.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

// Further pieces and questions after the first answer that the call is cancelled: loops in loops may ask once
// more each, but nobody begins anew. How long it takes is told; a busy machine makes it longer.
constexpr uint64_t kFew = 1000;

struct Cancelled {
  Worker& worker;
  Cancellation cancellation;
  uint64_t ticks = 0;    // of all steps that nobody cancels
  double slowest_s = 0;  // from being told to the end of the step
};

Status check_cancelled_run(Cancelled& work, const Snapshot& wanted) {
  Worker& worker = work.worker;
  const Cancellation& cancellation = work.cancellation;
  const Status status = worker.run();
  work.slowest_s = std::max(work.slowest_s, cancellation.seconds_since_told());
  if (const uint64_t more = cancellation.ticks_since_told(); more > kFew)
    return broken(fmt::format("goes on for {} pieces and questions after it was told", more));
  if (const auto text = worker.misdeed(); !text.empty()) return broken(text);
  if (!status) {
    if (status.code() == Code::kStopped) return {};
    if (!cancellation.told()) return status;
    return broken(fmt::format("fails with \"{}\", wanted the code PLAIT_ERROR_CANCELLED", status.message()));
  }
  const std::string what = worker.difference(wanted);
  return what.empty() ? Status()
                      : broken(what + " differs although success is reported: it was left half done");
}

// From the start, after the first tick, in the middle, before the last, and at a few drawn ones.
std::set<uint64_t> moments(Dice& dice, uint64_t ticks) {
  std::set<uint64_t> all = {0, 1, ticks / 2, ticks > 0 ? ticks - 1 : 0};
  for (int i = 0; i < 4; ++i) all.insert(dice.below(ticks + 1));
  return all;
}

// What depends on calls before it differs after a cancelled call too: that is another fault. So nobody
// cancels the first steps, as many as follow.
Status check_steady(Trial& trial, Worker& worker, const Snapshot& wanted, size_t steps) {
  trial.doing("the same step again, which nobody cancels, " + worker.text());
  for (size_t n = 0; n < steps; ++n) {
    PLAIT_TRY(worker.run());
    if (const auto what = worker.difference(wanted); !what.empty())
      return broken(
          what +
          " differs when the same step is made again, though nobody cancels one: it depends on calls "
          "before it, or on random numbers of its own");
  }
  return {};
}

Status check_cancellation(Trial& trial, Cancelled& work) {
  Worker& worker = work.worker;
  Cancellation& cancellation = work.cancellation;
  cancellation.at_tick(Cancellation::kNever);
  trial.doing("a step that nobody cancels, " + worker.text());
  PLAIT_TRY(worker.run());
  const Snapshot wanted = worker.results();
  const uint64_t all = work.ticks = cancellation.ticks();
  const auto ticks = moments(trial.dice(), all);
  PLAIT_TRY(check_steady(trial, worker, wanted, 2 * ticks.size()));
  for (uint64_t tick : ticks) {
    const std::string when = fmt::format("cancelled at piece or question {} of {}", tick, all);
    trial.doing(fmt::format("a step that is {}, {}", when, worker.text()));
    cancellation.at_tick(tick);
    PLAIT_TRY(check_cancelled_run(work, wanted).at(when));
    cancellation.at_tick(Cancellation::kNever);
    trial.doing(fmt::format("the step after one that was {}, {}", when, worker.text()));
    PLAIT_TRY(worker.run().at("the step after one that was " + when));
    if (const auto what = worker.difference(wanted); !what.empty())
      return broken(fmt::format("{} differs in the step after one that was {}", what, when));
  }
  return {};
}

Status cancelled(Trial& trial) {
  PLAIT_ASSIGN(const auto workers, make_workers(trial, 3, 2));
  uint64_t ticks = 0;
  double slowest_s = 0;
  for (const auto& worker : workers) {
    Cancelled work{*worker, Cancellation(worker->context())};
    PLAIT_TRY(check_cancellation(trial, work).at(worker->text()));
    ticks += work.ticks, slowest_s = std::max(slowest_s, work.slowest_s);
  }
  trial.remark(fmt::format("{} cases, {} pieces and questions, back within {:.3g} ms", workers.size(), ticks,
                           slowest_s * 1e3));
  return {};
}

const char* const kNumbers[Worker::kRounds] = {"random bits", "NaN",      "infinities",     "largest numbers",
                                               "denormals",   "some NaN", "some infinities"};

Status check_any_bits(Trial& trial, Worker& worker, uint64_t round) {
  const std::string what = kNumbers[round];
  trial.doing(fmt::format("a step on {}, {}", what, worker.text()));
  worker.draw_any_bits(trial.dice(), round);
  const Status first = worker.run();
  if (const auto text = worker.misdeed(); !text.empty()) return broken(text);
  if (!first) return is_silent(first) ? broken("fails without saying why") : Status();
  const Snapshot results = worker.results();
  PLAIT_TRY(worker.run());
  const std::string other = worker.difference(results);
  return other.empty() ? Status() : broken(other + " differs when the same call is made again");
}

Status any_bits(Trial& trial) {
  PLAIT_ASSIGN(const auto workers, make_workers(trial, 4));
  FloatState state;
  for (const auto& worker : workers) {
    PLAIT_TRY(worker->run().at(worker->text()));
    const Snapshot wanted = worker->results();
    const Worker::Kept before = worker->kept();
    for (uint64_t round = 0; round < Worker::kRounds; ++round) {
      PLAIT_TRY(check_any_bits(trial, *worker, round)
                    .at(fmt::format("{}, on {}", worker->text(), kNumbers[round])));
      worker->keep(before);
      PLAIT_TRY(worker->run().at(worker->text()));
      if (const auto what = worker->difference(wanted); !what.empty())
        return broken(
            fmt::format("{}: {} differs in the step after one on {}", worker->text(), what, kNumbers[round]));
    }
  }
  trial.remark(fmt::format("{} cases", workers.size()));
  return {};
}

// An instance before and after others were made.
Status check_beside_later_ones(Trial& trial) {
  PLAIT_ASSIGN(const auto first, make_workers(trial, 1));
  Worker& worker = *first.front();
  PLAIT_TRY(worker.run().at(worker.text()));
  const Snapshot before = worker.results();
  PLAIT_ASSIGN(const auto later, make_workers(trial, 2));
  trial.doing("a step after other instances were made, " + worker.text());
  PLAIT_TRY(worker.run().at(worker.text()));
  const std::string what = worker.difference(before);
  return what.empty() ? Status()
                      : broken(fmt::format("{}: {} differs once other instances are made: they share a state",
                                           worker.text(), what));
}

// Instances of several configurations, all made before the first call.
Status side_by_side(Trial& trial) {
  constexpr int kRepeats = 20;
  PLAIT_TRY(check_beside_later_ones(trial));
  const Dice dice = trial.dice();
  std::vector<Snapshot> wanted;
  {
    PLAIT_ASSIGN(const auto alone, make_workers(trial, 3));
    for (const auto& worker : alone) {
      PLAIT_TRY(worker->run().at(worker->text()));
      wanted.push_back(worker->results());
    }
  }
  trial.dice() = dice;
  PLAIT_ASSIGN(const auto workers, make_workers(trial, 3));
  const auto check = [&](size_t n) -> std::string {
    if (const Status status = workers[n]->run(); !status)
      return workers[n]->text() + ": fails: " + status.message();
    const std::string what = workers[n]->difference(wanted[n]);
    return what.empty() ? "" : workers[n]->text() + ": " + what + " differs";
  };
  trial.doing("instances of different configurations in turn");
  for (size_t n = 0; n < workers.size(); ++n)
    if (const auto fault = check(n); !fault.empty())
      return broken(fault + " once other instances exist: they share a state");
  trial.doing("instances of different configurations on a thread each");
  const std::string fault = at_once(workers.size(), [&](size_t n) {
    std::string text;
    for (int i = 0; i < kRepeats && text.empty(); ++i) text = check(n);
    return text;
  });
  if (!fault.empty()) return broken(fault + " when several instances work at once: they share a state");
  trial.remark(fmt::format("{} instances", workers.size()));
  return {};
}

}  // namespace

std::vector<Law> work_laws() {
  constexpr Severity kMust = Severity::kMust;
  return {
      {"type", "cancelled", kMust,
       "a call that is cancelled in the middle goes no further and says so, and spoils nothing", cancelled},
      {"type", "any_bits", kMust,
       "numbers of any bits (NaN, infinity, what a damaged file holds) end cleanly and leave nothing behind",
       any_bits},
      {"type", "side_by_side", kMust, "instances do not touch each other", side_by_side},
  };
}

}  // namespace plait::inline verify
