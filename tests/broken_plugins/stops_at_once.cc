// Takes no validation for one that is no improvement.
// Caught by: stop
// Words: before its first step
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  const char* monitor() const { return ""; }
  bool stop(const ScheduleCall& call) const {
    return call.evaluations.empty() || call.evaluations[call.evaluations.size() - 1].value > 1;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.stops_at_once", "1.0.0", "Apache-2.0",
             schedule<Broken>("broken.stops_at_once_schedule"));
