// Loses its first table when there is no room for the second.
// Caught by: create_refused_allocation
// Words: leaks .* allocation 2 is refused|leaks .* allocation 3 is refused
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  int* first = nullptr;
  int* second = nullptr;
  static constexpr bool elementwise = true;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void open(Context&) {
    first = new int[1000];
    second = new int[1000];
  }
  void step(Context&, const OptimizerCall& call) const {
    for (size_t i = 0; i < call.count; ++i) call.weights[i] -= 0.1f * call.gradients[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.leaks_when_refused", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.leaks_when_refused_optimizer"));
