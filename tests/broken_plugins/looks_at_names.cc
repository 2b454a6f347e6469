// Says elementwise, but has another rate for a parameter that it knows by name: joined ones have none.
// Caught by: elementwise
// Words: differ when the tensor is cut in two
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool elementwise = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void step(Context&, const OptimizerCall& call) const {
    const float rate = call.name.ends_with(".weight") ? 0.1f : 0.2f;
    for (size_t i = 0; i < call.count; ++i) call.weights[i] -= rate * call.gradients[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.looks_at_names", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.looks_at_names_optimizer"));
