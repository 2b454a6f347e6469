// A value that falls by steps.
#include <plait/sdk.hpp>
#include <plait/steady.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk;

namespace {

struct Step {
  double factor = 0.1, every = 1;

  static void describe(Describe<Step>& d) {
    d.doc("multiplied by `factor` after every so many epochs");
    d.details(
        "value = base * factor^n; n: whole multiples of `every` that have been reached. Epochs may be "
        "fractions.");
    d.field("factor", &Step::factor).doc("what the value is multiplied by").above(0).at_most(1000);
    d.field("every", &Step::every)
        .doc("distance of the steps")
        .unit("epochs")
        .required()
        .above(0)
        .at_most(1e9);
  }

  double value(const ScheduleCall& call) const {
    // A billionth of an epoch makes up for a division that falls short of a whole number.
    const double multiples = std::floor((call.epoch() + 1e-9) / every);
    // More than 2^53 make no difference.
    return call.base * steady::power(factor, static_cast<int64_t>(std::min(multiples, 0x1p53)));
  }
  bool ignores_total() const { return true; }
};

}  // namespace

PLAIT_PLUGIN("plait.step", "1.0.0", "Apache-2.0", schedule<Step>("plait.step"));
