// tune_job: which implementation of each layer is the fastest on this machine, measured as bench_job
// measures.
#pragma once
#include <atomic>
#include <string>
#include <vector>

#include "pipeline/job.h"
#include "registry/registry.h"
#include "train/bench_job.h"

namespace plait::inline train {

// The field by which layers say who computes them, and its word for leaving it to a rule.
inline constexpr const char* kImplementationField = "implementation";
inline constexpr const char* kRuleDecides = "auto";

struct TuneOptions {
  double seconds = 2;  // of training, of each implementation in each turn
  int turns = 3;
  int threads = 0;
  std::string program, scratch_folder;  // as BenchOptions
};

struct TunedLayer {
  int number = 0;  // in Job::layers
  struct Time {
    std::string implementation;
    double seconds = 0;  // forward and backward of a call, median of the turns
  };
  std::vector<Time> times;  // of those that can compute the layer, in the order of the field's words
  const Time& best() const;
};

// Of the layers that leave a choice of at least two. All take one implementation in a turn, then the next,
// and so on again: what disturbs the machine disturbs all. Fails with: kInvalid when no layer has a choice;
// as bench_job. Threads: [one at a time]
Result<std::vector<TunedLayer>> tune_job(const Registry& registry, const Job& job, const TuneOptions& options,
                                         const std::atomic<bool>& stop);

// A file of set: lines, for a job to include. Law: with it the job is as with the same --set.
std::string tuned_text(const Job& job, const std::vector<TunedLayer>& layers);

}  // namespace plait::inline train
