// A value that falls by the same factor in every epoch.
#include <plait/sdk.hpp>
#include <plait/steady.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk;

namespace {

struct Exponential {
  double factor = 0.95, every = 1;
  bool staircase = false;

  static void describe(Describe<Exponential>& d) {
    d.doc("multiplied by `factor` for each epoch, along a smooth curve or in stairs");
    d.details(
        "value = base * factor^(epoch / every), epochs with their fractions; the exponent rounded down where "
        "staircase.");
    d.field("factor", &Exponential::factor).doc("what the value is multiplied by").above(0).at_most(1000);
    d.field("every", &Exponential::every).doc("for how many epochs").unit("epochs").above(0).at_most(1e9);
    d.field("staircase", &Exponential::staircase).doc("falls at the end of so many epochs alone");
  }

  double value(const ScheduleCall& call) const {
    if (!staircase) return call.base * steady::power(factor, std::min(call.epoch() / every, 1e15));
    // A billionth of an epoch makes up for a division that falls short of a whole number.
    const double stairs = std::min(std::floor((call.epoch() + 1e-9) / every), 0x1p53);
    return call.base * steady::power(factor, static_cast<int64_t>(stairs));
  }
  bool ignores_total() const { return true; }
};

}  // namespace

PLAIT_PLUGIN("plait.exponential", "1.0.0", "Apache-2.0", schedule<Exponential>("plait.exponential"));
