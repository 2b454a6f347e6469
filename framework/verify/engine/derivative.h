// Derivatives by central differences, with a tolerance that follows from the arithmetic.
//
// L(x) = sum of weights[i] * outputs[i](x), where outputs are f32 results. With step h:
//   rounding:   each output is off by a few units of its last place: 4 * 2^-24 * sum |weight| (|y+| + |y-|) /
//   2h, summed
//               over outputs that move at all;
//   truncation: D(2h) - D(h) is three times the error of D(h) in the leading order;
//   cancellation inside the function: shows as steps of similar length that disagree, D(0.75 h), D(1.25 h),
//   D(1.5 h).
// What steps of similar length cannot show, others do: short ones that a long step leaps over waves, long
// ones that a short step is lost in the rounding inside of the function. A kink is where D+ - D-, the
// difference of the one-sided derivatives, does not shrink with h; no value is told there.
#pragma once
#include <functional>
#include <vector>

#include "base/status.h"

namespace plait::inline verify {

struct Derivative {
  double value = 0;
  double tolerance = 0;
  bool smooth = false;  // value and tolerance mean something

  bool agrees(double other) const;
};

// Sets outputs for the variable at `x`.
using Evaluate = std::function<Status(float x, std::vector<double>& outputs)>;

// Of what size the variable, and gradients that were summed, are.
struct Magnitude {
  double variable = 1;  // the step is a share of it
  double gradient = 1;  // terms of the gradient; its rounding is a share of it
  double reach = 0;     // a step that shows in every output that depends on the variable; 0: a usual one does
  double result = 0;    // outputs are rounded as if they were at least as large: sums whose terms cancel
};

// Fails with: what `evaluate` reports. Leaves the variable at x.
Result<Derivative> derivative(const Evaluate& evaluate, const std::vector<double>& weights, float x,
                              const Magnitude& magnitude = {});

}  // namespace plait::inline verify
