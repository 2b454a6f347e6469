// Parameters that their layers keep in an order of their own, in plain order for the calls of an optimizer.
#pragma once
#include <plait/abi.h>

#include <cstdint>
#include <vector>

#include "plan/plan.h"
#include "registry/context.h"

namespace plait::inline graph {

// Room for one parameter with its gradient and slots. Host memory. Does not move.
// Threads: [one at a time]
class PlainCopy {
 public:
  // For the largest of `parameters` (numbers in Network::parameters) that needs it; borrows the plan.
  PlainCopy(const Plan& plan, const std::vector<int>& parameters, size_t slots);
  PlainCopy(const PlainCopy&) = delete;
  PlainCopy& operator=(const PlainCopy&) = delete;

  // What it holds for this parameter alone; 0 where that needs none. Units: bytes
  static uint64_t bytes(const Plan& plan, size_t parameter, size_t slots);
  static bool is_needed(const Plan& plan, int parameter) {
    return plan.parameters()[static_cast<size_t>(parameter)].step >= 0;
  }
  // Lets `call`, which is of all that is stored of the parameter, look at copies in plain order; put_back
  // writes its weights and slots to where `stored`, the call as it was, has them. PLAIT_OK, or what the layer
  // reports in the context. Do not allocate.
  int take(CallContext& context, int parameter, plait_optimizer_call& call);
  int put_back(CallContext& context, int parameter, const plait_optimizer_call& stored) const;

 private:
  const Plan& plan_;
  std::vector<float> weights_, gradients_;
  std::vector<std::vector<float>> slots_;
  std::vector<float*> pointers_;  // to the slots
};

}  // namespace plait::inline graph
