// Laws of layers about faults and costs: refusals are clean, nothing leaks, nothing is allocated step by
// step.
#include <fmt/format.h>

#include <atomic>

#include "graph/arena.h"
#include "registry/shape_text.h"
#include "verify/benches/layer_run.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/heap.h"
#include "verify/engine/law.h"
#include "verify/engine/sanitizer.h"

namespace plait::inline verify {
namespace {

constexpr size_t kCases = 4;
constexpr int kWarm = 3;  // calls after which buffers that are kept have been made
constexpr int kCalls = 50;

struct Warm {
  std::unique_ptr<LayerBench> bench;
  std::unique_ptr<LayerRun> run;
};

Result<Warm> warm(Trial& trial, const LayerCase& made) {
  Warm w;
  PLAIT_ASSIGN(w.bench, LayerBench::create(trial, made));
  PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
  PLAIT_ASSIGN(w.run, LayerRun::create(*w.bench, values));
  for (int i = 0; i < kWarm; ++i) PLAIT_TRY(w.run->all().at(made.text()));
  return w;
}

Status allocates_nothing(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  for (const LayerCase& made : cases) {
    PLAIT_ASSIGN(auto w, warm(trial, made));
    trial.doing("counting allocations, " + made.text());
    const uint64_t before = heap_watch()->allocations(), others = heap_watch()->of_libraries();
    Status failed;
    for (int i = 0; i < kCalls && failed; ++i) failed = w.run->all();
    const uint64_t asked = heap_watch()->allocations() - before;
    const uint64_t of_libraries = heap_watch()->of_libraries() - others;
    PLAIT_TRY(failed);
    if (asked > 0)
      return broken(fmt::format("allocates {} blocks in {} steps ({})", asked, kCalls, made.text()));
    if (of_libraries > 0)
      trial.remark(
          fmt::format("libraries allocate {} blocks in {} steps, {}", of_libraries, kCalls, made.text()));
  }
  return {};
}

Status leaks_nothing(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  for (const LayerCase& made : cases) {
    PLAIT_ASSIGN(auto w, warm(trial, made));
    trial.doing("counting blocks that stay, " + made.text());
    const int64_t before = heap_watch()->live_blocks();
    Status failed;
    for (int i = 0; i < kCalls && failed; ++i) failed = w.run->all();
    const int64_t left = heap_watch()->live_blocks() - before;
    PLAIT_TRY(failed);
    if (left >= kCalls)
      return broken(fmt::format("leaks: {} blocks more after {} steps ({})", left, kCalls, made.text()));
  }
  return {};
}

// One refusal at each place in turn, until a call asks for no more.
Status survives_refusals(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, 2));
  uint64_t places = 0;
  for (const LayerCase& made : cases) {
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    PLAIT_ASSIGN(auto w, warm(trial, made));
    for (uint64_t k = 1; k < 200; ++k, ++places) {
      trial.doing(fmt::format("a step whose allocation {} is refused, {}", k, made.text()));
      Status status;
      {
        const Refusal refusal(k);
        status = w.run->all();
      }
      if (!heap_watch()->refused()) break;
      // Whether it fails or does without, the next step must be as ever.
      PLAIT_TRY(w.run->all().at(fmt::format("the step after a refused allocation ({}, {})", k, made.text())));
    }
  }
  trial.remark(fmt::format("{} refusals", places));
  return {};
}

std::atomic<bool> parallel_was_used{false};

// The first piece is run, then something fails.
int failing_parallel_for(uint64_t count, uint64_t grain, int, int (*body)(void*, uint64_t, uint64_t),
                         void* user, const std::atomic<bool>*) {
  parallel_was_used = true;
  if (count > 0) body(user, 0, grain > 0 ? std::min(grain, count) : count);
  return PLAIT_FAILED;
}

Status tells_failed_loops(Trial& trial) {
  PLAIT_ASSIGN(const LayerCase made, large_layer_case(trial));
  BenchOptions options;
  options.lanes = 2, options.parallel_for = failing_parallel_for;
  parallel_was_used = false;
  trial.doing("a loop that fails in the middle, " + made.text());
  auto bench = LayerBench::create(trial, made, options);
  if (!bench) return {};  // told already in create
  PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
  parallel_was_used = false;
  auto run = LayerRun::create(**bench, values);
  if (!run) return {};
  parallel_was_used = false;
  Status status = (*run)->prepare();
  if (status) status = (*run)->forward();
  if (!parallel_was_used) return skipped("the layer runs no parallel_for here");
  return status ? broken("forward succeeds although its parallel_for failed") : Status();
}

// What can be evaluated may still be too little to train by (one value has no variance): such a refusal is
// called invalid, and check says it before the first step.
Status creates(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, inferred_layer_cases(trial, 20));
  size_t untrainable = 0;
  for (const LayerCase& made : cases) {
    for (bool training : {true, false}) {
      BenchOptions options;
      options.training = training;
      const Status status = LayerBench::create(trial, made, options).status();
      if (training && status.code() == Code::kInvalid) {
        if (++untrainable == cases.size()) return status.at("no case can be trained");
      } else if (!status) {
        return status.at("infer accepts what create refuses");
      }
    }
  }
  trial.remark(fmt::format("{} cases, {} of them for evaluation alone", cases.size(), untrainable));
  return {};
}

Status refuses_wrong_inputs(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  for (const LayerCase& made : cases) {
    for (int fault = 0; fault < 5; ++fault) {
      std::vector<PartSpec> inputs = made.inputs;
      if (fault == 0) inputs[0].shape = {};
      if (fault == 1) inputs[0].shape.assign(PLAIT_MAX_RANK, 1);
      if (fault == 2) inputs[0].dtype = 200;
      if (fault == 3) inputs[0].shape.back() = 0;
      if (fault == 4) inputs[0].shape = {3};
      static const char* const kFaults[] = {"of rank 0", "of rank 8", "of an unknown element type",
                                            "of no elements", "of rank 1"};
      trial.doing(fmt::format("infer with an input {}, {}", kFaults[fault], config_text(made.config())));
      const auto other = made.with_inputs(inputs);
      if (!other && other.status().message().find("no reason") != std::string::npos)
        return broken(fmt::format("infer refuses an input {} without saying why", kFaults[fault]));
    }
  }
  return {};
}

}  // namespace

std::vector<Law> layer_fault_laws() {
  constexpr const char* kKind = "layer";
  return {
      {kKind, "creates", Severity::kMust, "create makes what infer accepts", creates},
      {kKind, "no_allocation", Severity::kMust, "a step allocates nothing", allocates_nothing},
      {kKind, "no_leak", Severity::kMust, "steps leave nothing behind", leaks_nothing},
      {kKind, "refused_allocation", Severity::kShould, "an allocation refused in a step ends cleanly",
       survives_refusals},
      {kKind, "failed_loop", Severity::kMust, "a parallel_for that fails makes the call fail",
       tells_failed_loops},
      {kKind, "wrong_inputs", Severity::kShould,
       "infer survives inputs that cannot be, and says why it refuses them", refuses_wrong_inputs},
  };
}

}  // namespace plait::inline verify
