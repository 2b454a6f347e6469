// A value that falls along a power of what is left of the training.
#include <plait/sdk.hpp>
#include <plait/steady.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace {

struct Polynomial {
  double power = 1, end = 0, epochs = 0;

  static void describe(Describe<Polynomial>& d) {
    d.doc("falls along a power of what is left: a line, a parabola, ...");
    d.details(
        "value = base (end + (1 - end) (1 - p)^power); p = epoch / epochs, at most 1; where epochs is 0 from "
        "0 to 1 at "
        "the stage's\n"
        "last step, and 0 where that is the first.");
    d.field("power", &Polynomial::power)
        .doc("1: a line, 2: a parabola; fractions too")
        .above(0)
        .at_most(1000);
    d.field("end", &Polynomial::end).doc("value at the end, as a share of the base").range(0, 1);
    d.field("epochs", &Polynomial::epochs)
        .doc("when the end is reached; 0: at the last step")
        .unit("epochs")
        .range(0, 1e9);
  }

  double value(const ScheduleCall& call) const {
    const double left = std::clamp(1 - place(call), 0.0, 1.0);
    return call.base * (end + (1 - end) * (power == 1 ? left : steady::power(left, power)));
  }
  bool ignores_total() const { return epochs > 0; }

 private:
  double place(const ScheduleCall& call) const {
    if (epochs > 0) return call.epoch() / epochs;
    return call.total_steps > 1 ? call.progress() : 0;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.polynomial", "1.0.0", "Apache-2.0", schedule<Polynomial>("plait.polynomial"));
