// What the inputs of a network's layers are between, over blocks of records: from such ranges a trained layer
// computes on 8-bit integers.
//
// The smallest and the largest number of an input are the same whatever order they are met in: so are the
// ranges, for any number of ranks and threads.
#pragma once
#include <mutex>
#include <string>
#include <vector>

#include "cluster/transport.h"
#include "pipeline/job.h"
#include "train/blocks.h"

namespace plait::inline train {

// Ranges are of weights that are there already. Fails with: kInvalid naming a layer that has some.
Status check_trains_in_f32(const Job& job);

class Int8Ranges {
 public:
  // Of the inputs from which steps of the plan would compute on 8-bit integers. The plan outlives this.
  explicit Int8Ranges(const Plan& plan);
  bool is_empty() const { return wanted_.empty(); }

  // Widens the ranges by a block of which all values are kept. Fails with: kNumeric naming where in the
  // network a number that is not finite came up first, and the block's records. Threads: [any]
  Status add(const BlockView& view);
  // The ranges of all ranks together. Collective.
  Status share(Transport& transport);
  // Into the layers of a copy of the plan's job.
  void put(std::vector<LayerSpec>& layers) const;

 private:
  struct Wanted {
    size_t step;
    uint32_t input;  // of the step
    std::string layer;
  };
  const Plan& plan_;
  std::vector<Wanted> wanted_;
  std::mutex mutex_;
  std::vector<double> ends_;  // of each -low and high, 0 at least: both are maxima
};

}  // namespace plait::inline train
