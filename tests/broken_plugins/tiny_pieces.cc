// Cuts its loop into pieces of one number.
// Caught by: lanes
// Words: cuts a step on [0-9]+ numbers into [0-9]+ pieces
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context& c, In x, Out y) const {
    c.parallel_for(x.size(), 1, [&](size_t i) { y[i] = 2 * x[i]; });
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.tiny_pieces", "1.0.0", "Apache-2.0", layer<Broken>("broken.tiny_pieces_layer"));
