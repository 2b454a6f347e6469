// Laws about costs: figures that a person can read, and events that would slow a whole step down. No time
// decides: it is told, and differs from machine to machine.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <unordered_set>

#include "graph/arena.h"
#include "verify/benches/layer_run.h"
#include "verify/benches/worker.h"
#include "verify/engine/denormal_watch.h"
#include "verify/engine/heap.h"
#include "verify/engine/law.h"
#include "verify/engine/sanitizer.h"

namespace plait::inline verify {
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

// ---- two lanes

std::atomic<uint64_t> loops{0}, pieces{0};

int counted_loop(uint64_t count, uint64_t grain, int lanes, int (*body)(void*, uint64_t, uint64_t),
                 void* user, const std::atomic<bool>* cancelled) {
  ++loops;
  pieces += grain > 0 ? (count + grain - 1) / grain : 1;
  return lane_loop()(count, grain, lanes, body, user, cancelled);
}

struct LaneCost {
  double seconds;
  uint64_t loops, pieces;  // of one step
  uint64_t numbers;        // that a step reads and writes
};

uint64_t numbers_of(LayerRun& run) {
  uint64_t bytes = 0;
  for (const auto* blocks : {&run.inputs, &run.outputs, &run.output_gradients, &run.input_gradients,
                             &run.parameters, &run.parameter_gradients})
    for (const Guarded& block : *blocks) bytes += block.bytes();
  return bytes / sizeof(float);
}

Result<LaneCost> lane_cost(Trial& trial, const LayerCase& made, int count) {
  Lanes lanes(count);
  return lanes.execute([&]() -> Result<LaneCost> {
    BenchOptions options;
    options.lanes = count, options.parallel_for = counted_loop;
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made, options));
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    PLAIT_ASSIGN(auto run, LayerRun::create(*bench, values));
    loops = pieces = 0;
    PLAIT_TRY(run->all());
    LaneCost cost{0, loops, pieces, numbers_of(*run)};
    PLAIT_ASSIGN(cost.seconds, best_seconds([&] { return run->all(); }));
    return cost;
  });
}

// What a piece costs to hand out is worth some numbers. How fast two lanes are is told: a machine may have
// one processor.
Status lanes(Trial& trial) {
  constexpr uint64_t kLeast = 16, kFree = 64;
  if (trial.device() != nullptr) return skipped("the device's streams do the work");
  PLAIT_ASSIGN(const LayerCase made, large_layer_case(trial));
  trial.doing("the same step on one lane and on two, " + made.text());
  PLAIT_ASSIGN(const LaneCost one, lane_cost(trial, made, 1));
  PLAIT_ASSIGN(const LaneCost two, lane_cost(trial, made, 2));
  if (two.pieces > kFree && two.pieces * kLeast > two.numbers)
    return broken(fmt::format(
        "cuts a step on {} numbers into {} pieces (parallel_for): fewer than {} numbers a piece; {}",
        two.numbers, two.pieces, kLeast, made.text()));
  trial.remark(fmt::format("{} on one lane, {} on two: {:.2f} times as fast; {} loops, {} pieces; {}",
                           time_text(one.seconds), time_text(two.seconds), one.seconds / two.seconds,
                           two.loops, two.pieces, made.text()));
  return {};
}

// ---- threads

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

// ---- denormals

template <class Bits>
std::vector<Bits> magnitudes(const Guarded& block) {
  std::vector<Bits> all(block.bytes() / sizeof(Bits));
  if (!all.empty()) std::memcpy(all.data(), block.data(), all.size() * sizeof(Bits));
  for (Bits& one : all) one &= ~Bits{0} >> 1;  // without the sign
  return all;
}

// Numbers of a floating-point type, whose smallest normal one is `normal`.
template <class Bits>
struct Denormals {
  uint32_t dtype;
  Bits normal;
  std::unordered_set<Bits> given;
  uint64_t made = 0, results = 0;

  bool is_one(Bits magnitude) const { return magnitude > 0 && magnitude < normal; }
  void take(const WorkBlock& block) {
    if (block.dtype != dtype || (block.role != Role::kRead && block.role != Role::kState)) return;
    for (Bits magnitude : magnitudes<Bits>(*block.memory))
      if (is_one(magnitude)) given.insert(magnitude);
  }
  void look(const WorkBlock& block) {
    if (block.dtype != dtype || (block.role != Role::kWritten && block.role != Role::kState)) return;
    for (Bits magnitude : magnitudes<Bits>(*block.memory))
      ++results, made += is_one(magnitude) && !given.contains(magnitude);
  }
};

// Denormals cost up to a hundred times as much as others, on some processors, where they are not taken for
// zero. What is moved or negated costs nothing; a result that was among no inputs was computed.
Status denormals(Trial& trial) {
  PLAIT_ASSIGN(const auto workers, make_workers(trial, 2));
  Worker& worker = *workers.front();
  if (trial.device() != nullptr || std::strcmp(trial.type().kind, "device") == 0)
    return skipped("the device's arithmetic is its own");
  FloatState state;
  trial.doing("a step on denormals, " + worker.text());
  PLAIT_TRY(worker.run().at(worker.text()));
  worker.draw_any_bits(trial.dice(), Worker::kDenormals);
  Denormals<uint32_t> single{PLAIT_F32, 0x00800000u, {}};
  Denormals<uint64_t> wide{PLAIT_F64, 0x0010000000000000u, {}};
  for (const WorkBlock& block : worker.blocks()) single.take(block), wide.take(block);
  if (single.given.empty() && wide.given.empty()) return skipped("reads no numbers of floating point");
  uint64_t events = 0;
  {
    const DenormalWatch watch;
    if (!worker.run()) return skipped("refuses denormals");
    events = watch.events();
  }
  for (const WorkBlock& block : worker.blocks()) single.look(block), wide.look(block);
  const uint64_t made = single.made + wide.made, results = single.results + wide.results;
  if (events + made > 0)
    return broken(fmt::format(
        "computes with denormals, which are to be taken for zero: {} operations trapped, {} of {} "
        "results are denormals that it was not given; {}",
        events, made, results, worker.text()));
  trial.remark(fmt::format("{} results; {}", results, worker.text()));
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
      {"type", "denormals", kPerformance,
       "takes tiny numbers for zero: they cost a hundred times as much on some processors", denormals},
      {"layer", "lanes", kPerformance, "cuts its loops into pieces that are worth handing to a lane", lanes},
  };
}

}  // namespace plait::inline verify
