// What is done to the gradient of an update before the optimizer takes it: penalties on weights are added,
// then it is clipped.
//
// Its bits do not depend on threads: sums are made in one order, that of the arena.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "pipeline/job.h"
#include "plan/plan.h"

namespace plait::inline train {

// g += l1 sign(w) + 2 l2 w, of parameters that have penalties l1 sum |w| + l2 sum w^2. Then, of clip:
//   value        each element to [-most, most]; NaN stays
//   norm         of each parameter apart: g min(1, most / (|g| + 1e-6))
//   global_norm  the same with |g| over all parameters together
// Source: PyTorch 2, torch.nn.utils.clip_grad_value_ and clip_grad_norm_, whose formula this is; Pascanu,
// Mikolov, Bengio 2013 (global norm). Norms are summed in f64.
// Threads: [any]
class GradientRules {
 public:
  // Keeps nothing of the plan. A parameter that no loss depends on has no gradient, and no part in it.
  GradientRules(const Plan& plan, const ClipSpec& clip);

  bool any() const { return clip_ || wants_weights(); }
  // Whether any parameter has a penalty.
  bool wants_weights() const { return has_penalties_; }

  // Shapes: gradients, weights [plan.trained_elements()], stored order, host memory; weights may be null
  // unless wants_weights.
  // Fails with: kNumeric naming the parameter whose gradient's norm is not finite.
  Status apply(float* gradients, const float* weights) const;

 private:
  struct Range {
    std::string name;
    uint64_t begin = 0, count = 0;  // elements
    float l1 = 0, l2_twice = 0;
  };
  Status clip_each(float* gradients) const;
  Status clip_together(float* gradients) const;

  std::vector<Range> ranges_;  // in the order of the arena
  ClipSpec clip_;
  bool has_penalties_ = false;
};

}  // namespace plait::inline train
