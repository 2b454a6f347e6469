// What `plait bench` found, for people and for programs.
#pragma once
#include <string>

#include "train/bench_job.h"

namespace plait::inline report {

// A line for each step: us a call, GFLOP/s, share of this machine's peak on as many threads as the step has,
// GB/s that it moves at least, what it runs; then the whole.
std::string bench_table(const BenchResult& result);

// One object: "steps" [{"layer", "phase", "microseconds", "gflops", "peak_share", "gigabytes_per_second",
// "memory_share", "kernels"}], and the whole's figures. What is not known is null.
std::string bench_json(const BenchResult& result);

}  // namespace plait::inline report
