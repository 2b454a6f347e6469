// Divides by the number of steps less one.
// Caught by: finite
// Words: gives .*nan
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  double value(const ScheduleCall& call) const {
    return call.base * static_cast<double>(call.step) / static_cast<double>(call.total_steps - 1);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.one_step", "1.0.0", "Apache-2.0", schedule<Broken>("broken.one_step_schedule"));
