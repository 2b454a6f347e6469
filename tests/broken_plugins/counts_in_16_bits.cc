// Counts numbers of a tensor in 16 bits.
// Caught by: large_batches
// Words: output 0, element 655[0-9]+ of
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[static_cast<uint16_t>(i)];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.counts_in_16_bits", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.counts_in_16_bits_layer"));
