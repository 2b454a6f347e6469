// Looks its values up in a table, by a number that it does not check.
// Caught by: any_bits
// Words: crashes .*a step on
#include <plait/sdk.hpp>
#include <vector>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  std::vector<float> table = std::vector<float>(65, 1.0f);
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = table.data()[static_cast<int64_t>(32 * x[i] + 32)];
  }
  void backward(Context&, In x, In, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 0;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.index_from_number", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.index_from_number_layer"));
