// Running statistics measured anew for weights that do not change. Those that training keeps are of the copies
// before they were averaged, and of batches that other weights normalized; so are those beside a moving
// average of weights.
//
// A stage of its own: a task is a batch of training samples, as the first epoch has them, whose layers
// normalize by the batch and say its statistics (PLAIT_MEASURING); all else is as in evaluation. What the
// tasks say is combined as the shards of a round are (RoundSums), so that bits depend on neither ranks nor
// threads. Source: Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization",
// section 3.2.
#pragma once
#include <memory>
#include <vector>

#include "cluster/transport.h"
#include "train/blocks.h"
#include "train/round_sums.h"

namespace plait::inline train {

class Recalibration {
 public:
  // `parts`: training records in their order; a block is a batch of training, and `records` whole blocks.
  // Fails with: kInvalid where no layer of the network that trains has such statistics.
  // Threads: [setup only]
  static Result<std::unique_ptr<Recalibration>> create(BlockParts parts, const Transport& transport);

  // Overwrites the buffers of `weights`, an arena of `plan`: of the same network, for training.
  // Fails with: what blocks report; kNumeric naming a buffer; kStopped where parts.work stops it, on every
  // rank; the buffers are then as they were. Threads: [one at a time], the transport's thread
  Status run(const Plan& plan, HostArena& weights, Transport& transport);

  int64_t batches() const { return blocks_->count(); }
  // What run holds at its largest. Units: bytes
  uint64_t bytes() const;

 private:
  Recalibration() = default;
  Status add_block(const BlockView& view);
  const Plan& plan() const { return blocks_->plan(); }

  std::unique_ptr<Blocks> blocks_;
  std::unique_ptr<RoundSums> sums_;
  std::vector<size_t> measured_;  // numbers in Network::parameters
};

}  // namespace plait::inline train
