// Throws in value.
// Caught by: finite
// Words: value: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  double value(const ScheduleCall&) const { throw std::runtime_error("no more paper"); }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_value", "1.0.0", "Apache-2.0",
             schedule<Broken>("broken.throws_in_value_schedule"));
