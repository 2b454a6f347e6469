// Checkpoints: the state at the end of a round, in a file that is either whole or refused.
//
// File: "PLAITCK4", u64 length of the message that follows (checkpoint_state.proto), the message, the tensors
// as safetensors (weights_file.h) to 32 bytes before the end, SHA-256 of everything before. Tensors are in
// plain order and named "weights/c1.weight", "slot 0/c1.weight", "outer 0/c1.weight", "average/c1.weight"
// (the moving average of weights), "reducer 0/c1.weight" (a reducer's state; of what it keeps for a slot
// "reducer 0/slot 1/c1.weight"); "network/..." holds the job's own network while a pretraining stage runs,
// "best/..." the best weights of a run that is about to end. Of a run that has stages of tasks there is one
// before them too: what the run is, and "begun/...", the weights that it was given. Random numbers need no
// state. Format 1 had no identity, format 2 no earlier validations, format 3 its state as JSON.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/status.h"
#include "train/identity.h"
#include "train/round_state.h"
#include "train/summary.h"
#include "train/weights_file.h"

namespace plait::inline train {

// What a run has counted so far, over all stages.
struct Counters {
  int64_t rounds = 0, steps = 0, samples = 0, skipped_records = 0;
  double train_seconds = 0, seconds = 0;
  std::vector<int64_t> tasks_by_rank;
  std::vector<Fault> faults;
};

// The best weights so far on the validation set.
struct Best {
  bool known = false;
  double value = 0;  // of the metric that the job watches
  double epoch = 0;
  NamedValues validation;
};

// A validation that schedules look back at.
struct Validated {
  int64_t step = 0;  // of the stage
  NamedValues values;
};

struct Checkpoint {
  Identity identity;            // of the run that wrote it
  std::vector<Change> changes;  // accepted before it was written
  // The run ended here, and a longer one would not have been in this state: its last round was cut short, or
  // its last validation was no epoch's. A run that is prolonged goes on from an earlier one.
  bool only_at_end = false;
  bool is_beginning = false;  // written before the stages of tasks: there is no state of rounds yet
  int stage = 0;
  double loss = 0;     // of the last round
  NamedValues losses;  // of the last round where there are several
  Counters counters;
  Best best;
  NamedValues validation;            // of the last validation
  int64_t validated_step = 0;        // of the stage, when that was
  std::vector<Validated> validated;  // all of the stage, oldest first
  int64_t round = 0, step = 0;       // of the stage
  NamedTensors tensors;
};

std::string encode(const Checkpoint& checkpoint);
// The same piece by piece, with further tensors after the checkpoint's own.
Status write(const Checkpoint& checkpoint, const TensorSources& more, const Files::Writer& writer);
// Fails with: kCorrupt when anything is not as it was written.
Result<Checkpoint> decode_checkpoint(const std::string& bytes, const std::string& place);

// Those whose names begin with `prefix`, without it.
NamedTensors tensors_below(const NamedTensors& tensors, const std::string& prefix);

// Between the state of a plan's rounds and a checkpoint's tensors: those of the state are borrowed. `layout`:
// of the reducer's states.
TensorSources put_state(const Plan& plan, const GatheredLayout& layout, const RoundState& state,
                        Checkpoint& checkpoint);
// `state` has the plan's arenas and the reducer's states already. Fails with: kCorrupt when a tensor is
// missing or does not fit.
Status take_state(const Plan& plan, const GatheredLayout& layout, const Checkpoint& checkpoint,
                  RoundState& state);

// Of the one before the stages of tasks; the names of others come after it.
inline constexpr const char* kBeginningFile = "stage000-beginning.ckpt";

// The checkpoints of a run, in its folder `checkpoints/`, the newest by name last.
class CheckpointFolder {
 public:
  CheckpointFolder(Files& files, std::string folder, int keep)
      : files_(files), folder_(std::move(folder)), keep_(keep) {}
  // Writes one, then removes those older than the last `keep`; one more is kept where the last is good for
  // this run's end alone; a beginning removes none. Returns its path.
  Result<std::string> save(const Checkpoint& checkpoint, const TensorSources& more = {});
  // The newest good one that can be used; `passed_over` gets a line for each newer one that is not good.
  // `unusable` says why one cannot be gone on from, or "". Fails with: kNotFound when there is none, with the
  // reason of each.
  using Unusable = std::function<std::string(const Checkpoint&)>;
  Result<Checkpoint> newest(const Unusable& unusable, std::vector<std::string>& passed_over);
  bool any();

 private:
  Result<std::vector<std::string>> names();
  Files& files_;
  std::string folder_;
  int keep_;
};

}  // namespace plait::inline train
