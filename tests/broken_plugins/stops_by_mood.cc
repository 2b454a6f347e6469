// Ends training by how often it was asked.
// Caught by: stop
// Words: or ranks would differ
#include <plait/sdk.hpp>

#include <atomic>

namespace {
using namespace plait::sdk;

struct Broken {
  mutable std::atomic<int> asked = 0;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  bool stop(const ScheduleCall& call) const { return call.step > 0 && ++asked % 3 == 0; }
};

}  // namespace

PLAIT_PLUGIN("broken.stops_by_mood", "1.0.0", "Apache-2.0",
             schedule<Broken>("broken.stops_by_mood_schedule"));
