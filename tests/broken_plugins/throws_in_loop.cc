// Throws in the middle of a parallel_for.
// Caught by: same_again
// Words: forward: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context& c, In x, Out y) const {
    c.parallel_for(x.size(), 4, [&](size_t i) {
      if (i == 3) throw std::runtime_error("no more paper");
      y[i] = 2 * x[i];
    });
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_loop", "1.0.0", "Apache-2.0", layer<Broken>("broken.throws_in_loop_layer"));
