// What one round hands to the next: weights and optimizer state. The same on all ranks at the end of every
// round.
#pragma once
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "graph/optimizer.h"
#include "plan/plan.h"
#include "train/gathered.h"
#include "train/host_arena.h"

namespace plait::inline train {

// Arenas are in the plan's stored order, host memory.
struct RoundState {
  int64_t round = 0;             // rounds that are finished
  int64_t step = 0;              // local steps of a shard that are finished
  HostArena weights;             // [plan.arena_elements()], buffers included
  HostArena average;             // [plan.trained_elements()]: of weights; of no use before round 1; or empty
  std::vector<HostArena> slots;  // [plan.trained_elements()] each: the optimizer's
  std::vector<HostArena> outer_slots;  // the outer optimizer's
  // The reducer's: as long as a shard's vector each, see gathered.h.
  std::vector<std::vector<float>> reducer_states;
};

// Initial weights drawn by `seed`, slots at their initial values.
// Fails with: kInvalid for an initialisation that does not exist.
Result<RoundState> initial_state(const Plan& plan, uint64_t seed, const OptimizerInstance& optimizer,
                                 const OptimizerInstance* outer);

// Of a reducer that keeps them, at their initial values; padding is 0.
Result<std::vector<std::vector<float>>> initial_reducer_states(const GatheredLayout& layout,
                                                               const std::vector<SlotInfo>& states);

// Weights and buffers per parameter, plain order, as in files; and back. Parameters of `plain` are in the
// network's order.
Result<std::vector<std::vector<float>>> plain_weights(const Plan& plan, const HostArena& weights);
// Into a slot: trained parameters only, the others may be empty.
Status store_slot(const Plan& plan, const std::vector<std::vector<float>>& plain, HostArena& slot);

}  // namespace plait::inline train
