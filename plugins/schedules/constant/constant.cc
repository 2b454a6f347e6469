// A value that stays, after some epochs of a share of it.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct Constant {
  double factor = 1, epochs = 0;

  static void describe(Describe<Constant>& d) {
    d.doc("base * factor for the first epochs, or for all");
    d.details(
        "value = base * factor before `epochs`, and base from there on; base * factor throughout where "
        "epochs is 0.");
    d.field("factor", &Constant::factor).doc("what the value is multiplied by").range(0, 1000);
    d.field("epochs", &Constant::epochs).doc("how long; 0: always").unit("epochs").range(0, 1e9);
  }

  double value(const ScheduleCall& call) const {
    // A billionth of an epoch makes up for a division that falls short of a whole number.
    const bool is_over = epochs > 0 && call.epoch() + 1e-9 >= epochs;
    return is_over ? call.base : call.base * factor;
  }
  bool ignores_total() const { return true; }
};

}  // namespace

PLAIT_PLUGIN("plait.constant", "1.0.0", "Apache-2.0", schedule<Constant>("plait.constant"));
