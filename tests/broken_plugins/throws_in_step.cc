// Throws in step.
// Caught by: keeps_zero
// Words: step: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void step(Context&, const OptimizerCall&) const { throw std::runtime_error("no more paper"); }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_step", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.throws_in_step_optimizer"));
