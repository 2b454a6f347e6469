#include "verify/engine/derivative.h"

#include <algorithm>
#include <cmath>

namespace plait::inline verify {
namespace {

constexpr double kStep = 0x1p-7;
constexpr double kUnit = 0x1p-24;  // of f32, relative
constexpr double kFloor = 1e-5;    // gradients are f32 themselves, of sums whose terms are of the order of 1
// n terms of either sign sum to about sqrt(n), whose n roundings come to about n / 2 units: below the floor
// up to here.
constexpr double kTerms = 256;
constexpr double kLeastStep = 1e-3;
constexpr double kSharp = 0.05;  // a tolerance above this share of the derivative decides nothing
// From here on floats are 1/64 apart and more: waves of length 1 take a few of them, and that a function is
// flat may be because its waves fall between steps.
constexpr double kCoarse = 0x1p17;

// What a difference is made of.
struct Function {
  const Evaluate& evaluate;
  const std::vector<double>& weights;
  float x;
  std::vector<double> middle;      // outputs at x
  std::vector<uint8_t> dependent;  // outputs known to depend on x, though a small step may be rounded away
  std::vector<uint8_t> fine;       // outputs that had digits below those of numbers about 1
  double result;                   // see Magnitude
};

// Whether the value is a multiple of 2^-25. Small ones are by chance never all; they are where a function
// takes one number about 1 from another (exp(x) - 1).
bool is_coarse(double value) { return value * 0x1p25 == std::rint(value * 0x1p25); }

struct Difference {
  double central, left, right;  // derivatives
  double rounding;
  double terms;  // outputs that depend on x
};

Result<Difference> difference(Function& f, double h) {
  auto& [evaluate, weights, x, middle, dependent, fine, result] = f;
  const auto above = static_cast<float>(x + h), below = static_cast<float>(x - h);
  std::vector<double> high(weights.size()), low(weights.size());
  PLAIT_TRY(evaluate(above, high));
  PLAIT_TRY(evaluate(below, low));
  const double up = static_cast<double>(above) - x, down = static_cast<double>(x) - below;
  double rise = 0, fall = 0, size = 0, terms = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    rise += weights[i] * (high[i] - middle[i]);
    fall += weights[i] * (middle[i] - low[i]);
    if (high[i] == low[i] && !dependent[i]) continue;
    dependent[i] = 1;
    if (!is_coarse(high[i]) || !is_coarse(low[i])) fine[i] = 1;
    size += std::abs(weights[i]) * std::max(std::abs(high[i]) + std::abs(low[i]), 2 * result);
    ++terms;
  }
  return Difference{(rise + fall) / (up + down), fall / down, rise / up, 4 * kUnit * size / (up + down),
                    terms};
}

Status find_dependent(Function& f, double reach) {
  std::vector<double> far(f.weights.size());
  for (const double step : {reach, -reach}) {
    PLAIT_TRY(f.evaluate(static_cast<float>(f.x + step), far));
    for (size_t i = 0; i < far.size(); ++i)
      if (far[i] != f.middle[i]) f.dependent[i] = 1;
  }
  return {};
}

// Other lengths of steps, where the variable is not of a usual size. Of a large one, shorter by sixteens,
// until they are usual or two units of its last place: waves longer than that show. Of a small one, a step
// of an eighth of it, in which a rounding inside of the function weighs a sixteenth of what it does in the
// usual.
std::vector<double> other_steps(float x, double variable) {
  std::vector<double> steps;
  const double step = kStep * variable, shortest = std::max(kStep, 4 * kUnit * std::abs(x));
  for (double other = step / 16; variable > 1 && steps.size() < 5; other /= 16) {
    steps.push_back(std::max(other, shortest));
    if (other <= shortest) break;
  }
  if (variable < 1) steps.push_back(16 * step);
  return steps;
}

// What is left of the roundings of numbers about 1 inside of the function, of a unit or so each, in a
// difference over the longest step: where outputs look as if there were some.
double inner_rounding(const Function& f, double step) {
  double size = 0;
  for (size_t i = 0; i < f.weights.size(); ++i)
    if (f.dependent[i] && !f.fine[i]) size += std::abs(f.weights[i]);
  return 2 * kUnit * size / step;
}

}  // namespace

bool Derivative::agrees(double other) const {
  return std::abs(value - other) <= tolerance + 1e-4 * std::abs(value);
}

Result<Derivative> derivative(const Evaluate& evaluate, const std::vector<double>& weights, float x,
                              const Magnitude& magnitude) {
  const double step = kStep * magnitude.variable;
  const size_t count = weights.size();
  Function f{evaluate,
             weights,
             x,
             std::vector<double>(count),
             std::vector<uint8_t>(count),
             std::vector<uint8_t>(count),
             magnitude.result};
  PLAIT_TRY(evaluate(x, f.middle));
  if (magnitude.reach > 0) PLAIT_TRY(find_dependent(f, magnitude.reach));
  PLAIT_ASSIGN(const Difference near, difference(f, step));
  PLAIT_ASSIGN(const Difference wide, difference(f, 2 * step));
  const double floor = kFloor * magnitude.gradient * std::max(1.0, near.terms / kTerms);
  Derivative result;
  result.value = near.central;
  // With a kink at d < h, near errs by (1/2 - d / 2h) of its height, and wide - near is d / 4h of it: twice
  // that covers the error from d = h / 2 on. Nearer kinks show in the bend: it halves with h where there is
  // none, and is (2h - 2d) / (2h - d) of the wide one, above 0.6 for d < 0.57 h.
  double spread = 2 * std::abs(wide.central - near.central);
  for (const double factor : {0.75, 1.25, 1.5}) {
    PLAIT_ASSIGN(const Difference other, difference(f, factor * step));
    spread = std::max(spread, 2 * std::abs(other.central - near.central));
  }
  // The rounding of a short step is its own, and no fault of the usual one.
  for (const double other_step : other_steps(x, magnitude.variable)) {
    PLAIT_ASSIGN(const Difference other, difference(f, other_step));
    const double apart = std::abs(other.central - near.central) - 2 * other.rounding;
    if (!(apart <= 0)) spread = std::max(spread, 2 * apart);
    if (std::isnan(apart)) spread = apart;
  }
  PLAIT_TRY(evaluate(x, f.middle));
  result.tolerance = spread + near.rounding + floor;
  if (magnitude.variable < 1) result.tolerance += inner_rounding(f, 16 * step);
  const double bend = std::abs(near.right - near.left), wide_bend = std::abs(wide.right - wide.left);
  const bool kink = bend > 0.6 * wide_bend + 4 * near.rounding + floor;
  const double least = std::abs(x) < kCoarse ? kLeastStep : 0;
  result.smooth =
      !kink && std::isfinite(result.value) && result.tolerance <= kSharp * std::abs(result.value) + least;
  return result;
}

}  // namespace plait::inline verify
