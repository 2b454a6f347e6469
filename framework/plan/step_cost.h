// What the steps of a plan run, and what a call of each costs at least, from shapes alone.
#pragma once
#include <string>
#include <vector>

#include "plan/plan.h"

namespace plait::inline plan {

// A step's forward or backward, or a loss.
struct StepCost {
  std::string layer;
  std::string phase;  // "forward", "loss", "backward", as in profiles; "evaluation" of a plan of evaluation
  // Of one call. Backward: one forward's for the inputs' gradients, one for the parameters', as far as
  // needed.
  double multiply_adds = 0;  // 0: the layer does not say
  double bytes = 0;          // what it must read and write once: tensors, parameters, their gradients
  std::vector<std::string> kernels;
  bool is_onednn() const;  // one of them at least
};

// In the order of one thread.
std::vector<StepCost> step_costs(const Plan& plan);

// A line for each kernel: layer, phase, what it runs.
std::string kernel_table(const std::vector<StepCost>& costs);

}  // namespace plait::inline plan
