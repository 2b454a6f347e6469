// Throws in compute.
// Caught by: result
// Words: compute: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void compute(Context&, const LossCall&) const { throw std::runtime_error("no more paper"); }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_compute", "1.0.0", "Apache-2.0",
             loss<Broken>("broken.throws_in_compute_loss"));
