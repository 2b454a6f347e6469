// Throws in open.
// Caught by: finite
// Words: create: .*no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void open(Context&) { throw std::runtime_error("no more paper"); }
  double value(const ScheduleCall& call) const { return call.base; }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_open", "1.0.0", "Apache-2.0",
             schedule<Broken>("broken.throws_in_open_schedule"));
