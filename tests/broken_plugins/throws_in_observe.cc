// Throws in observe.
// Caught by: keeps_zero
// Words: observe: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void step(Context&, const OptimizerCall&) const {}
  double observe(Context&, const OptimizerCall&) const { throw std::runtime_error("no more paper"); }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_observe", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.throws_in_observe_optimizer"));
