#include "verify/derivative.h"

#include <algorithm>
#include <cmath>

namespace plait {
namespace {

constexpr double kStep = 0x1p-7;
constexpr double kUnit = 0x1p-24;  // of f32, relative
constexpr double kFloor = 1e-5;    // gradients are f32 themselves, of sums whose terms are of the order of 1
constexpr double kSharp = 0.05;    // a tolerance above this share of the derivative decides nothing

struct Difference {
  double central, left, right;  // derivatives
  double rounding;
};

Result<Difference> difference(const Evaluate& evaluate, const std::vector<double>& weights, float x,
                              const std::vector<double>& middle, double h) {
  const auto above = static_cast<float>(x + h), below = static_cast<float>(x - h);
  std::vector<double> high(weights.size()), low(weights.size());
  PLAIT_TRY(evaluate(above, high));
  PLAIT_TRY(evaluate(below, low));
  const double up = static_cast<double>(above) - x, down = static_cast<double>(x) - below;
  double rise = 0, fall = 0, size = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    rise += weights[i] * (high[i] - middle[i]);
    fall += weights[i] * (middle[i] - low[i]);
    if (high[i] != low[i]) size += std::abs(weights[i]) * (std::abs(high[i]) + std::abs(low[i]));
  }
  return Difference{(rise + fall) / (up + down), fall / down, rise / up, 4 * kUnit * size / (up + down)};
}

}  // namespace

bool Derivative::agrees(double other) const {
  return std::abs(value - other) <= tolerance + 1e-4 * std::abs(value);
}

Result<Derivative> derivative(const Evaluate& evaluate, const std::vector<double>& weights, float x) {
  std::vector<double> middle(weights.size());
  PLAIT_TRY(evaluate(x, middle));
  PLAIT_ASSIGN(const Difference near, difference(evaluate, weights, x, middle, kStep));
  PLAIT_ASSIGN(const Difference wide, difference(evaluate, weights, x, middle, 2 * kStep));
  Derivative result;
  result.value = near.central;
  // With a kink at d < h, near errs by (1/2 - d / 2h) of its height, and wide - near is d / 4h of it: twice
  // that covers the error from d = h / 2 on. Nearer kinks show in the bend: it halves with h where there is
  // none, and is (2h - 2d) / (2h - d) of the wide one, above 0.6 for d < 0.57 h.
  double spread = 2 * std::abs(wide.central - near.central);
  for (const double factor : {0.75, 1.25, 1.5}) {
    PLAIT_ASSIGN(const Difference other, difference(evaluate, weights, x, middle, factor * kStep));
    spread = std::max(spread, 2 * std::abs(other.central - near.central));
  }
  PLAIT_TRY(evaluate(x, middle));
  result.tolerance = spread + near.rounding + kFloor;
  const double bend = std::abs(near.right - near.left), wide_bend = std::abs(wide.right - wide.left);
  const bool kink = bend > 0.6 * wide_bend + 4 * near.rounding + kFloor;
  result.smooth =
      !kink && std::isfinite(result.value) && result.tolerance <= kSharp * std::abs(result.value) + 1e-3;
  return result;
}

}  // namespace plait
