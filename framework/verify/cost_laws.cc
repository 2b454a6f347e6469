// Laws about costs: figures that a person can read, and what would slow a whole step down.
#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <filesystem>

#include "graph/arena.h"
#include "verify/heap.h"
#include "verify/law.h"
#include "verify/layer_run.h"
#include "verify/sanitizer.h"
#include "verify/worker.h"

namespace plait {
namespace {

using Time = std::chrono::steady_clock;

double seconds_since(Time::time_point begin) {
  return std::chrono::duration<double>(Time::now() - begin).count();
}

// The shortest of the runs that fit into `budget_s`, at least three and at most 300: other processes only
// make a run longer.
template <class Function>
Result<double> best_seconds(Function&& function, double budget_s = 0.06) {
  double best = 1e300;
  const auto begin = Time::now();
  for (int i = 0; i < 3 || (i < 300 && seconds_since(begin) < budget_s); ++i) {
    const auto start = Time::now();
    PLAIT_TRY(function());
    best = std::min(best, seconds_since(start));
  }
  return best;
}

std::string time_text(double seconds) {
  if (seconds < 1e-6) return fmt::format("{:.0f} ns", seconds * 1e9);
  if (seconds < 1e-3) return fmt::format("{:.3g} us", seconds * 1e6);
  return fmt::format("{:.3g} ms", seconds * 1e3);
}

// A copy that reads and writes `bytes` in all.
double copy_seconds(uint64_t bytes) {
  std::vector<uint8_t> from(std::max<uint64_t>(bytes / 2, 1), 1), to(from.size());
  const auto copied = best_seconds(
      [&] {
        std::memcpy(to.data(), from.data(), from.size());
        from[0] = to[to.size() / 2];
        return Status();
      },
      0.01);
  return std::max(copied ? *copied : 0, 1e-9);
}

// Allocations of the caller's thread in one step; 0 where the heap is not watched.
Result<uint64_t> allocations_in(Worker& worker, bool has_steps) {
  if (heap_watch() == nullptr || !has_steps) return uint64_t{0};
  const uint64_t before = heap_watch()->allocations();
  const Status status = worker.run_on();
  const uint64_t asked = heap_watch()->allocations() - before;
  PLAIT_TRY(status);
  return asked;
}

Status cost(Trial& trial) {
  if (is_sanitized()) return skipped("a sanitizer slows everything down");
  PLAIT_ASSIGN(const auto workers, make_workers(trial, 2));
  Worker& worker = *workers.front();
  FloatState state;
  PLAIT_TRY(worker.run().at(worker.text()));
  PLAIT_TRY(worker.keep_on_device(true));
  trial.doing("taking the time, " + worker.text());
  PLAIT_ASSIGN(const double seconds, best_seconds([&] { return worker.run_on(); }));
  PLAIT_ASSIGN(const uint64_t allocations,
               allocations_in(worker, std::strcmp(trial.type().kind, "pretrainer") != 0));
  const auto bytes = static_cast<double>(worker.bytes());
  const double copy = copy_seconds(worker.bytes());
  std::string text = fmt::format("{} a step", time_text(seconds));
  if (worker.bytes() >= 4096)
    text += fmt::format(", {:.3g} GB/s of what it reads and writes, {:.2g} times a copy of it ({:.3g} GB/s)",
                        bytes / seconds * 1e-9, seconds / copy, bytes / copy * 1e-9);
  if (allocations > 0) text += fmt::format(", {} allocations", allocations);
  trial.remark(text + "; " + worker.text());
  return {};
}

Result<double> step_seconds(Trial& trial, const LayerCase& made, int count) {
  Lanes lanes(count);
  return lanes.execute([&]() -> Result<double> {
    BenchOptions options;
    options.lanes = count, options.parallel_for = lane_loop();
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made, options));
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    PLAIT_ASSIGN(auto run, LayerRun::create(*bench, values));
    PLAIT_TRY(run->all());
    return best_seconds([&] { return run->all(); });
  });
}

// A pair of times, and what is said of it. Other processes may slow down either: what looks slow is measured
// again, and has to look slow each time.
struct Pair {
  double usual, other;
  bool is_slow(double most) const { return other > most * usual && other - usual > 1e-4; }
};

template <class Measure>
Result<Pair> repeat_while_slow(double most, Measure measure) {
  constexpr int kTries = 5;
  PLAIT_ASSIGN(Pair pair, measure());
  for (int i = 1; i < kTries && pair.is_slow(most); ++i) {
    PLAIT_ASSIGN(pair, measure());
  }
  return pair;
}

// Two lanes may be no faster where there is little to do, but are not to be much slower.
Status lanes(Trial& trial) {
  if (is_sanitized()) return skipped("a sanitizer slows everything down");
  constexpr double kMostSlower = 3;
  if (trial.device() != nullptr) return skipped("the device's streams do the work");
  PLAIT_ASSIGN(const LayerCase made, large_layer_case(trial));
  trial.doing("the same step on one lane and on two, " + made.text());
  PLAIT_ASSIGN(const Pair pair, repeat_while_slow(kMostSlower, [&]() -> Result<Pair> {
                 PLAIT_ASSIGN(const double one, step_seconds(trial, made, 1));
                 PLAIT_ASSIGN(const double two, step_seconds(trial, made, 2));
                 return Pair{one, two};
               }));
  const std::string text =
      fmt::format("{} on one lane, {} on two: {:.2f} times as fast; {}", time_text(pair.usual),
                  time_text(pair.other), pair.usual / pair.other, made.text());
  if (pair.is_slow(kMostSlower)) return broken("slows down: " + text);
  trial.remark(text);
  return {};
}

size_t threads_now() {
  std::error_code error;
  const std::filesystem::directory_iterator tasks("/proc/self/task", error);
  return error ? 0 : static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

Status own_threads(Trial& trial) {
  if (trial.device() != nullptr || std::strcmp(trial.type().kind, "device") == 0)
    return skipped("a device's streams have threads");
  const size_t before = threads_now();
  PLAIT_ASSIGN(const auto workers, make_workers(trial, 2));
  const size_t made = threads_now();
  for (const auto& worker : workers) PLAIT_TRY(worker->run().at(worker->text()));
  const size_t after = std::max(made, threads_now());
  return after <= before
             ? Status()
             : broken(fmt::format("starts {} threads of its own beside the lanes that it is given",
                                  after - before));
}

// Tiny numbers cost a hundred times a normal one where they are not flushed to zero.
Status denormals(Trial& trial) {
  if (is_sanitized()) return skipped("a sanitizer slows everything down");
  constexpr double kMostSlower = 5;
  PLAIT_ASSIGN(const auto workers, make_workers(trial, 2));
  Worker& worker = *workers.front();
  if (trial.device() != nullptr) return skipped("the device's arithmetic is its own");
  FloatState state;
  trial.doing("the same step on usual numbers and on denormals, " + worker.text());
  const Worker::Kept kept = [&] {
    worker.keep();
    return worker.kept();
  }();
  PLAIT_TRY(worker.run().at(worker.text()));
  worker.draw_any_bits(trial.dice(), Worker::kDenormals);
  if (!worker.run()) return skipped("refuses denormals");
  const Worker::Kept tiny = worker.kept();
  const auto seconds_on = [&](const Worker::Kept& numbers) -> Result<double> {
    worker.keep(numbers);
    PLAIT_TRY(worker.run());
    return best_seconds([&] { return worker.run_on(); });
  };
  PLAIT_ASSIGN(const Pair pair, repeat_while_slow(kMostSlower, [&]() -> Result<Pair> {
                 PLAIT_ASSIGN(const double usual, seconds_on(kept));
                 PLAIT_ASSIGN(const double slow, seconds_on(tiny));
                 return Pair{usual, slow};
               }));
  const std::string text = fmt::format("{} on usual numbers, {} on denormals; {}", time_text(pair.usual),
                                       time_text(pair.other), worker.text());
  if (pair.is_slow(kMostSlower))
    return broken(fmt::format("{:.0f} times as slow: {}", pair.other / pair.usual, text));
  trial.remark(text);
  return {};
}

}  // namespace

std::vector<Law> cost_laws() {
  constexpr Severity kPerformance = Severity::kPerformance;
  return {
      {"type", "cost", kPerformance, "time of a step beside that of a copy of what it reads and writes",
       cost},
      {"type", "own_threads", kPerformance, "works on the lanes that it is given, without threads of its own",
       own_threads},
      {"type", "denormals", kPerformance, "tiny numbers cost no more than others", denormals},
      {"layer", "lanes", kPerformance, "a second lane makes a step no slower", lanes},
  };
}

}  // namespace plait
