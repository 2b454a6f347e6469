// A window that reads one element past the last.
// Caught by: overwrites
// Words: something is read that was never written
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] + x.data()[i + 1];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = dy[i] + (i > 0 ? dy[i - 1] : 0);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.reads_beyond", "1.0.0", "Apache-2.0", layer<Broken>("broken.reads_beyond_layer"));
