// A value that falls by steps.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk;

namespace {

// base^exponent by squaring: the same bits everywhere.
double power(double base, int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent >>= 1, base *= base) {
    if (exponent & 1) result *= base;
  }
  return result;
}

struct Step {
  double factor = 0.1, every = 0;
  std::vector<double> at;

  static void describe(Describe<Step>& d) {
    d.doc("multiplied by `factor` at each of the epochs given");
    d.details(
        "value = base * factor^n; n counts the whole multiples of `every` and the epochs in `at` that have "
        "been\n"
        "reached. Epochs may be fractions.");
    d.field("factor", &Step::factor).doc("what the value is multiplied by").above(0).at_most(1000);
    d.field("every", &Step::every).doc("distance of the steps; 0: none").unit("epochs").range(0, 1e9);
    d.field("at", &Step::at).doc("further steps").unit("epochs").range(0, 1e9);
  }
  void validate() const {
    if (every == 0 && at.empty()) throw Error("a step schedule needs `every` or `at`");
  }

  double value(const ScheduleCall& call) const {
    // A billionth of an epoch makes up for a division that falls short of a whole number.
    const double epoch = call.epoch() + 1e-9;
    const double multiples = every > 0 ? std::floor(epoch / every) : 0;
    int64_t steps = static_cast<int64_t>(std::min(multiples, 0x1p53));  // more make no difference
    for (const double reached : at) steps += epoch >= reached;
    return call.base * power(factor, steps);
  }
  bool ignores_total() const { return true; }
};

}  // namespace

PLAIT_PLUGIN("plait.step", "1.0.0", "Apache-2.0", schedule<Step>("plait.step"));
