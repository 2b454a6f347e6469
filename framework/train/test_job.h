// Plugins and jobs for the tests of train/: small enough to run in milliseconds. Made in this process.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "cluster/local_transport.h"
#include "pipeline/job.h"
#include "registry/registry.h"
#include "train/run.h"
#include "train/weights_file.h"

namespace plait::inline train {

// Layers: plane {units}: y = x W; follow: y = x - mean, where the buffer `mean` follows the batches (mean64);
// noise: adds numbers of [0, 0.1) while training; stretch {base}: channel c times base^c; twice: y = 2 x by
// way of saved memory while training; spread: y = x, with the buffers `mean` and `variance` of its last batch
// (variance); turned {units}: plane with its weight in an order of its own, with padding. Loss squares,
// metrics error (mean squared error) and ordered {width} (rows whose order counts; values ordered,
// ordered.last and ordered.class_0). Optimizers roll {rate momentum} (a slot, mean32), clip {rate} (observes
// all gradients), adapt {rate} (Adam) and paced {rate} (steps that shrink with the number of updates); grow
// {rate} wants whole parameters in plain order: each element's step depends on its place, a slot and the
// loss; sharp {rho rate} takes a second gradient at w + rho g / |g|. Source points {count bad spoilt gone}: x
// [3], label [1], of which `bad` records break their format and those from number `spoilt` on are not finite;
// a `gone` one cannot be opened; its digest has points_edition in it. Augmenter level
// {strict}: x less its mean, over its spread, of a pass over the data; strict refuses what is not finite.
// Schedules fade (depends on the number
// of steps) and halve (does not), watch {monitor} (halves after each validation that is not the best) and
// tire {after} (ends training after so many validations), listed {factors} (one an epoch). Reducers mean
// (default), middle (gathers) and kept {least} (takes the whole, with a state; refuses fewer shards). Devices
// near (default), far (memory that the host may not touch) and adding (far, and makes exact sums there).
// Pretrainer again {stages}: trains the first layer to give back its input.
const Registry& train_registry();
// As if other records lay at the same place.
extern std::atomic<int> points_edition;

// A job of a two-layer network on 96 records. `more` follows the fields of train.
Job train_job(const std::string& train, const std::string& more = "");

// A job of a recurrent network on 96 sequences of 1 to 40: see test_sequences.h.
Job sequence_job(const std::string& train, const std::string& more = "");

// Called by the source points before it reads a record. Set while no job runs. Threads: [any]
std::function<void()>& before_points_read();

// Bytes that were copied out of the memory of `adding`.
extern std::atomic<int64_t> adding_bytes_out;

// Rows that the source given {file part} has, the one of files *.given; one that is not finite is a bad
// record.
std::vector<std::vector<float>>& given_rows();

class QuietObserver : public Observer {
 public:
  void run_begun(const std::string&) override {
    if (on_begun) on_begun();
  }
  void stage_begun(const StageInfo& stage) override { stages.push_back(stage); }
  void round_finished(const RoundInfo& round) override {
    rounds.push_back(round);
    if (on_round) on_round(round);
  }
  void evaluated(const EvaluationInfo& evaluation) override { evaluations.push_back(evaluation); }
  void message(const std::string& text) override { messages.push_back(text); }
  std::vector<StageInfo> stages;
  std::vector<RoundInfo> rounds;
  std::vector<EvaluationInfo> evaluations;
  std::vector<std::string> messages;
  std::function<void(const RoundInfo&)> on_round;
  std::function<void()> on_begun;
};

// One world in memory: its files, its clock, and what rank 0 was told.
struct TestWorld {
  MemoryFiles files;
  ManualClock clock;
  QuietObserver observer;
  std::atomic<bool> stop{false};
  // Runs the job on `ranks` ranks of `threads` threads; the result of rank 0.
  Result<Summary> run(const Job& job, int ranks = 1, int threads = 1, RunOptions options = {});
  NamedTensors weights(const std::string& which = "last");
};

}  // namespace plait::inline train
