// Says that its values do not depend on the number of steps, and falls to 0 at the last.
// Caught by: ignores_total
// Words: says that it ignores the number of steps
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  double value(const ScheduleCall& call) const { return call.base * (1 - call.progress()); }
  bool ignores_total() const { return true; }
};

}  // namespace

PLAIT_PLUGIN("broken.claims_any_length", "1.0.0", "Apache-2.0",
             schedule<Broken>("broken.claims_any_length_schedule"));
