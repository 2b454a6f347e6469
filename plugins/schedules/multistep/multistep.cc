// A value that falls at the epochs of a list.
#include <plait/sdk.hpp>
#include <plait/steady.hpp>

using namespace plait::sdk;

namespace {

struct Multistep {
  double factor = 0.1;
  std::vector<double> at;

  static void describe(Describe<Multistep>& d) {
    d.doc("multiplied by `factor` at each of the epochs given");
    d.details("value = base * factor^n; n: epochs in `at` that have been reached. They may be fractions.");
    d.field("factor", &Multistep::factor).doc("what the value is multiplied by").above(0).at_most(1000);
    d.field("at", &Multistep::at).doc("when").unit("epochs").required().range(0, 1e9);
  }
  void validate() const {
    if (at.empty()) throw Error("a multistep schedule needs `at`");
  }

  double value(const ScheduleCall& call) const {
    // A billionth of an epoch makes up for a division that falls short of a whole number.
    const double epoch = call.epoch() + 1e-9;
    int64_t steps = 0;
    for (const double reached : at) steps += epoch >= reached;
    return call.base * steady::power(factor, steps);
  }
  bool ignores_total() const { return true; }
};

}  // namespace

PLAIT_PLUGIN("plait.multistep", "1.0.0", "Apache-2.0", schedule<Multistep>("plait.multistep"));
