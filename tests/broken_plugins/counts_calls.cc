// Counts how often it was asked.
// Caught by: same_again
// Words: may depend on nothing but its call
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  mutable int calls = 0;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  double value(const ScheduleCall& call) const { return call.base / ++calls; }
};

}  // namespace

PLAIT_PLUGIN("broken.counts_calls", "1.0.0", "Apache-2.0", schedule<Broken>("broken.counts_calls_schedule"));
