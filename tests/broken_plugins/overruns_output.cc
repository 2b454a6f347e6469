// Rounds the number of elements up to a vector of 8.
// Caught by: memory
// Words: output 0 .* past its end were written
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < (x.size() + 7) / 8 * 8; ++i) y.data()[i] = i < x.size() ? 2 * x[i] : 0;
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.overruns_output", "1.0.0", "Apache-2.0", layer<Broken>("broken.overruns_output_layer"));
