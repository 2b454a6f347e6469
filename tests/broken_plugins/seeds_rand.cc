// Seeds the random numbers of the C library, which others use.
// Caught by: process_state
// Words: a step changes the process: the random numbers of rand
#include <plait/sdk.hpp>

#include <cstdlib>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    std::srand(7);
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.seeds_rand", "1.0.0", "Apache-2.0", layer<Broken>("broken.seeds_rand_layer"));
