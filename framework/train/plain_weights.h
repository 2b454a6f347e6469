// A network's weights in plain order, handed over a parameter at a time: nobody keeps a copy of all.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "train/host_arena.h"
#include "train/weights_file.h"

namespace plait::inline train {

// The values of a parameter, by its number in the network; valid until the next call.
// Threads: [one at a time]
using PlainWeights = std::function<Result<std::span<const float>>(size_t parameter)>;

// Of a flat arena, or of an optimizer's slot (which has trained parameters only). Borrows both. `scratch`:
// for parameters that are not kept in plain order; of several arenas that share it, a value is valid until
// the next call of any. Default: one of its own.
using PlainScratch = std::shared_ptr<std::vector<float>>;
PlainWeights plain_weights_in(const Plan& plan, const HostArena& arena, PlainScratch scratch = nullptr);
// Of arrays per parameter, borrowed.
PlainWeights plain_weights_of(const std::vector<std::vector<float>>& plain);

// The network's parameters by name with `prefix` before it: all, or those that are trained.
TensorSources sources_of(const Plan& plan, const PlainWeights& weights, const std::string& prefix = "",
                         bool trained_only = false);

}  // namespace plait::inline train
