// The calls of an optimizer for ranges of a replica's arena.
#pragma once
#include <limits>
#include <vector>

#include "graph/node.h"
#include "graph/optimizer.h"
#include "graph/plain_copy.h"
#include "graph/replica_memory.h"
#include "plan/plan.h"

namespace plait::inline graph {

// A run of elements of the arena that one call of the optimizer updates. Units: elements.
struct UpdateRange {
  uint64_t begin = 0, count = 0;
  uint32_t flags = 0;  // PLAIT_PARAMETER_*
  double rate_multiplier = 1;
  int parameter = -1;  // number in Network::parameters; -1: several joined
};

// The ranges of these parameters (numbers in Network::parameters), in the order of the arena. With `join`,
// neighbours of equal flags and rate_multiplier become one range, padding between them included.
std::vector<UpdateRange> update_ranges(const Plan& plan, std::vector<int> parameters, bool join);

// What a call says of the parameter that it is about.
void name_parameter(const Plan& plan, int parameter, plait_optimizer_call& call);

// Does not move. Threads: [one at a time]
class OptimizerCalls {
 public:
  // What calls say of a step besides its key.
  struct Facts {
    double observed = 0;
    double loss = std::numeric_limits<double>::quiet_NaN();
    bool is_second = false;
  };
  enum class Writes { kNothing, kWeights };

  OptimizerCalls(const OptimizerInstance& optimizer, const Plan& plan, const ReplicaMemory& memory,
                 const std::vector<UpdateRange>& ranges);
  OptimizerCalls(const OptimizerCalls&) = delete;
  OptimizerCalls& operator=(const OptimizerCalls&) = delete;

  // `make` a call (PLAIT_OK or PLAIT_FAILED) for every range, with the runtime values with its
  // rate_multiplier, and in plain order where the optimizer wants that. Ends at the first that fails.
  template <class Make>
  int each(CallContext& context, const StepKey& key, const Facts& facts, Writes writes, Make&& make) {
    for (size_t i = 0; i < calls_.size(); ++i) {
      prepare(i, key, facts);
      plait_optimizer_call call = calls_[i];
      const int parameter = ranges_[i].parameter;
      const bool is_copied = optimizer_.plain() && PlainCopy::is_needed(plan_, parameter);
      if (is_copied && copy_.take(context, parameter, call) != PLAIT_OK) return PLAIT_FAILED;
      if (make(static_cast<const plait_optimizer_call&>(call)) != PLAIT_OK) return PLAIT_FAILED;
      if (!is_copied || writes == Writes::kNothing) continue;
      if (copy_.put_back(context, parameter, calls_[i]) != PLAIT_OK) return PLAIT_FAILED;
    }
    return PLAIT_OK;
  }

 private:
  void prepare(size_t range, const StepKey& key, const Facts& facts);

  const OptimizerInstance& optimizer_;
  const Plan& plan_;
  std::vector<UpdateRange> ranges_;
  std::vector<std::vector<float*>> slots_;
  std::vector<std::vector<double>> runtime_;
  std::vector<plait_optimizer_call> calls_;
  PlainCopy copy_;
};

}  // namespace plait::inline graph
