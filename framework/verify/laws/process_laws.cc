// Laws about the process that plugins share with the host and with each other: its state, its end, and what
// came before a call.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "base/library.h"
#include "graph/float_state.h"
#include "io/child_process.h"
#include "registry/shape_text.h"
#include "verify/benches/layer_run.h"
#include "verify/benches/worker.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"
#include "verify/engine/process_state.h"
#include "verify/engine/sanitizer.h"

namespace plait::inline verify {
namespace {

Status load(Trial& trial) {
  trial.doing("loading " + trial.file());
  PLAIT_ASSIGN(const Library library, Library::open(trial.file()));
  const auto function = reinterpret_cast<plait_plugin_v1_fn>(library.symbol(PLAIT_PLUGIN_SYMBOL));
  if (function == nullptr) return {Code::kInvalid, "does not export " PLAIT_PLUGIN_SYMBOL};
  if (function(&host_table()) == nullptr) return broken("refuses this host");
  return {};
}

// ---- state

Status loading_changes_nothing(Trial& trial) {
  const WatchedOutput output;
  const ProcessState before = ProcessState::now();
  PLAIT_TRY(load(trial));
  const std::string what = before.difference(ProcessState::now());
  return what.empty() ? Status() : broken("loading changes the process: " + what);
}

// A driver of a device keeps threads and files of its own until the process ends.
bool has_driver(Trial& trial) {
  return trial.device() != nullptr || std::strcmp(trial.type().kind, "device") == 0;
}

Status work_changes_nothing(Trial& trial) {
  const FloatState mode;
  const WatchedOutput output;
  const bool files = !has_driver(trial);
  const ProcessState before = ProcessState::now(files);
  const auto check = [&](const std::string& what) -> Status {
    const std::string difference = before.difference(ProcessState::now(files));
    return difference.empty() ? Status()
                              : broken(fmt::format("{} changes the process: {}", what, difference));
  };
  const ProcessCounts counts = ProcessCounts::now();
  {
    PLAIT_ASSIGN(const auto workers, make_workers(trial, 2));
    PLAIT_TRY(check("making an instance"));
    for (const auto& worker : workers) {
      trial.doing("a step, " + worker->text());
      PLAIT_TRY(worker->run().at(worker->text()));
      PLAIT_TRY(check("a step").at(worker->text()));
    }
  }
  PLAIT_TRY(check("the end of an instance"));
  if (has_driver(trial)) return {};
  const std::string left = left_behind(counts);
  return left.empty() ? Status() : broken(left + " are left behind when all instances are gone");
}

// What a loop's pieces changed of the thread that ran them; "": nothing.
std::string change_of_lane;

// Runs the pieces of a loop on a thread of its own, as a lane that is not the caller's, and looks at what the
// thread is like after each.
int loop_on_another_thread(uint64_t count, uint64_t grain, int, int (*body)(void*, uint64_t, uint64_t),
                           void* user, const std::atomic<bool>* cancelled) {
  bool failed = false;
  const auto run = [&] {
    const FloatState mode;
    const ProcessState before = ProcessState::of_thread();
    const uint64_t piece = grain == 0 ? count : grain;
    for (uint64_t begin = 0; begin < count && !failed; begin += std::min(piece, count - begin)) {
      failed = (cancelled != nullptr && *cancelled) ||
               body(user, begin, std::min(begin + piece, count)) != PLAIT_OK;
    }
    if (change_of_lane.empty()) change_of_lane = before.difference(ProcessState::of_thread());
  };
  std::thread(run).join();
  return failed ? PLAIT_FAILED : PLAIT_OK;
}

Status work_changes_no_lane(Trial& trial) {
  if (has_driver(trial)) return skipped("loops of a device are its own");
  PLAIT_ASSIGN(const auto workers, make_workers(trial, 2, 3));
  const FloatState mode;
  for (const auto& worker : workers) {
    worker->context().set_parallel_for(loop_on_another_thread);
    trial.doing("a step whose loops run on another thread, " + worker->text());
    PLAIT_TRY(worker->run().at(worker->text()));
    if (!change_of_lane.empty())
      return broken(fmt::format("{}: a step changes the thread that runs a piece of its loop: {}",
                                worker->text(), change_of_lane));
  }
  return {};
}

// ---- end

// "crashes (SIGSEGV)", "exits with status 3".
std::string ending_text(const Ending& ending) {
  if (ending.signal == 0) return fmt::format("exits with status {}", ending.exit_status);
  const char* name = ::sigabbrev_np(ending.signal);
  return fmt::format("crashes (SIG{})", name != nullptr ? name : "?");
}

// A number that a process and its children see. 0 at first.
class SharedNumber {
 public:
  static Result<SharedNumber> create() {
    void* page = ::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return {Code::kIo, std::string("mmap: ") + std::strerror(errno)};
    return SharedNumber(static_cast<volatile int*>(page));
  }
  int get() const { return *number_; }
  void set(int number) const { *number_ = number; }

 private:
  struct Unmap {
    void operator()(volatile int* page) const { ::munmap(const_cast<int*>(page), sizeof(int)); }
  };
  explicit SharedNumber(volatile int* page) : number_(page) {}
  std::unique_ptr<volatile int, Unmap> number_;
};

// Runs `work` and ends as programs do, with all destructors, in a process of its own.
Status check_end(Trial& trial, const std::string& after, const std::function<Status()>& work) {
  if (is_sanitized()) return skipped("a sanitizer has work of its own at the end of a process");
  enum Stage : int { kWorks, kDidNotWork, kEnds };
  PLAIT_ASSIGN(const auto stage, SharedNumber::create());
  const auto work_and_end = [&](int) -> int {
    const Status worked = work();
    stage.set(worked ? kEnds : kDidNotWork);
    if (!worked) return 0;
    trial.doing("the end of a process " + after);
    std::exit(0);
  };
  PLAIT_ASSIGN(WaitLoop loop, WaitLoop::create());
  PLAIT_ASSIGN(ChildProcess child, ChildProcess::fork(loop, work_and_end, {}));
  while (!child.wait(std::chrono::hours(1))) continue;  // this process has a limit itself
  const Ending& ending = child.ending();
  if (stage.get() == kDidNotWork) return skipped("the work itself fails");
  if (stage.get() == kWorks)
    return broken(fmt::format("the process {} before its end: the work itself ends it", ending_text(ending)));
  if (ending.signal != 0)
    return broken(
        fmt::format("the process {} when it ends {}: in a destructor of a static object, or a thread that "
                    "is left",
                    ending_text(ending), after));
  if (ending.exit_status == 0) return {};
  return broken(fmt::format("a process that ends {} has status {}, wanted 0", after, ending.exit_status));
}

Status ends_after_loading(Trial& trial) {
  return check_end(trial, "after the plugin was loaded", [&] { return load(trial); });
}

Status ends_after_work(Trial& trial) {
  if (has_driver(trial)) return skipped("a device's driver does not outlive a fork");
  return check_end(trial, "after a step", [&]() -> Status {
    PLAIT_ASSIGN(const auto workers, make_workers(trial, 2));
    for (const auto& worker : workers) PLAIT_TRY(worker->run());
    return {};
  });
}

// ---- history

// Calls before the one that is compared, on other numbers and of other instances; more where they are cheap.
uint64_t calls_in_history(const Workers& workers) {
  constexpr uint64_t kBytes = 48'000'000, kFewest = 60, kMost = 1500;
  uint64_t most = 1;
  for (const auto& worker : workers) most = std::max(most, worker->bytes());
  return std::clamp(kBytes / most, kFewest, kMost);
}

Status check_histories(Trial& trial, const Workers& workers, const std::vector<Snapshot>& wanted,
                       const std::vector<Worker::Kept>& kept, uint64_t calls) {
  constexpr uint64_t kEvery = 4;  // calls, on average, between two that are compared
  Dice& dice = trial.dice();
  for (uint64_t n = 1; n <= calls; ++n) {
    const size_t i = dice.below(workers.size());
    Worker& worker = *workers[i];
    const bool compared = dice.below(kEvery) == 0 || n == calls;
    worker.keep(kept[i]);
    if (!compared)
      dice.below(8) == 0 ? worker.draw_any_bits(dice, dice.below(Worker::kRounds)) : worker.draw_usual(dice);
    trial.doing(fmt::format("call {} of a history, {}", n, worker.text()));
    const Status status = worker.run(dice.coin() ? Worker::Scratch::kPattern : Worker::Scratch::kUsed);
    if (!compared) continue;
    PLAIT_TRY(status.at(fmt::format("the same call again, as call {} of a history, {}", n, worker.text())));
    if (const auto what = worker.difference(wanted[i]); !what.empty())
      return broken(
          fmt::format("{}: {} differs when the same call is made again as call {} of a history of "
                      "others: it depends on calls before it",
                      worker.text(), what, n));
  }
  return {};
}

Status history(Trial& trial) {
  PLAIT_ASSIGN(const auto workers, make_workers(trial, 4));
  const FloatState mode;
  std::vector<Snapshot> wanted;
  std::vector<Worker::Kept> kept;
  for (const auto& worker : workers) {
    PLAIT_TRY(worker->run().at(worker->text()));
    wanted.push_back(worker->results()), kept.push_back(worker->kept());
  }
  const uint64_t calls = calls_in_history(workers);
  PLAIT_TRY(check_histories(trial, workers, wanted, kept, calls));
  trial.remark(fmt::format("{} calls of {} instances", calls, workers.size()));
  return {};
}

std::string shapes_text(const LayerCase& made) {
  std::string text;
  for (const PartSpec& output : made.shapes.outputs) text += fmt::format("output {}, ", shape_text(output));
  const auto add = [&](const char* what, const std::vector<ParameterInfo>& all) {
    for (const ParameterInfo& one : all)
      text += fmt::format("{} {} [{}] {} {} {} (fans {} and {}) {} {} {}, ", what, one.name,
                          fmt::join(one.shape, ", "), one.init, one.init_a, one.init_b, one.fan_in,
                          one.fan_out, one.reduce, one.flags, one.rate_multiplier);
  };
  add("parameter", made.shapes.parameters), add("buffer", made.shapes.buffers);
  for (const Epilogue& one : made.shapes.is_epilogue)
    text += fmt::format("is {} {} {}, ", one.name, one.alpha, one.beta);
  for (const InputRange& one : made.shapes.input_ranges)
    text += fmt::format("input {} in {} .. {}, ", one.input, one.low, one.high);
  return text + fmt::format("accepts [{}], in place {}, multiply-adds {}",
                            fmt::join(made.shapes.accepts, ", "), made.shapes.in_place,
                            made.shapes.multiply_adds);
}

// Shapes that cannot be, between those that can.
std::vector<PartSpec> odd_inputs(Dice& dice, std::vector<PartSpec> inputs) {
  PartSpec& one = inputs[dice.below(inputs.size())];
  if (dice.coin()) one.shape.push_back(static_cast<int64_t>(1 + dice.below(3)));
  for (int64_t& extent : one.shape)
    if (dice.coin()) extent = static_cast<int64_t>(1 + dice.below(9));
  return inputs;
}

Status infer_history(Trial& trial) {
  constexpr int kCalls = 1500;
  PLAIT_ASSIGN(const auto cases, inferred_layer_cases(trial, 20));
  std::vector<std::string> wanted;
  for (const LayerCase& made : cases) wanted.push_back(shapes_text(made));
  Dice& dice = trial.dice();
  for (int n = 0; n < kCalls; ++n) {
    const size_t i = dice.below(cases.size());
    trial.doing(fmt::format("infer, call {} of a history, {}", n, cases[i].text()));
    if (dice.below(3) == 0) {
      static_cast<void>(cases[i].with_inputs(odd_inputs(dice, cases[i].inputs)));
      continue;
    }
    PLAIT_ASSIGN(const LayerCase again, cases[i].with_inputs(cases[i].inputs));
    if (const auto text = shapes_text(again); text != wanted[i])
      return broken(fmt::format("{}: infer depends on calls before it: it said \"{}\", then \"{}\"",
                                cases[i].text(), wanted[i], text));
  }
  trial.remark(fmt::format("{} calls in {} cases", kCalls, cases.size()));
  return {};
}

std::string needs_text(const LayerBench::Needs& needs) {
  std::string text =
      fmt::format("saved {}, workspace {}, prepared {}, ", needs.saved, needs.workspace, needs.prepared);
  for (const auto& [index, count] : needs.stored)
    text += fmt::format("parameter {} as {} numbers, ", index, count);
  return text + fmt::format("backward reads {}, accumulates {}", needs.reads, needs.accumulates);
}

// The host lays out memory by what one instance asks for, and may make another on another rank, or later.
Status needs_history(Trial& trial) {
  constexpr int kCalls = 150;
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, 8));
  Dice& dice = trial.dice();
  std::map<std::array<size_t, 3>, std::string> wanted;  // by case, whether it trains, whether it is frozen
  for (int n = 0; n < kCalls; ++n) {
    const LayerCase& made = cases[dice.below(cases.size())];
    BenchOptions options;
    options.training = dice.coin(), options.parameters_frozen = dice.coin();
    PLAIT_ASSIGN(const auto bench, LayerBench::create(trial, made, options));
    const std::string text = needs_text(bench->needs());
    const auto place = static_cast<size_t>(&made - cases.data());
    const auto& first =
        wanted.try_emplace({place, options.training, options.parameters_frozen}, text).first->second;
    if (text != first)
      return broken(fmt::format("{}: what it needs depends on calls before: it said \"{}\", then \"{}\"",
                                made.text(), first, text));
  }
  trial.remark(fmt::format("{} instances in {} cases", kCalls, cases.size()));
  return {};
}

}  // namespace

std::vector<Law> process_laws() {
  constexpr Severity kMust = Severity::kMust;
  return {
      {"library", "process_state", kMust,
       "loading leaves the process as it is: folder, environment, locale, signals, streams, arithmetic",
       loading_changes_nothing},
      {"library", "exit", kMust, "a process that has it loaded ends cleanly", ends_after_loading},
      {"type", "process_state", kMust, "work leaves the process as it is, and no threads or files behind",
       work_changes_nothing},
      {"type", "lane_state", kMust, "work leaves the threads that run its loops as they are",
       work_changes_no_lane},
      {"type", "exit", kMust, "a process that has worked with it ends cleanly", ends_after_work},
      {"type", "history", kMust, "results do not depend on the calls before, however many", history},
      {"layer", "infer_history", kMust, "shapes do not depend on the calls before", infer_history},
      {"layer", "needs_history", kMust, "what it needs does not depend on the calls before", needs_history},
  };
}

}  // namespace plait::inline verify
