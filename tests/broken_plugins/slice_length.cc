// Divides by the length of the slice that it is given.
// Caught by: slices
// Words: when the deltas are cut into slices
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void combine(Context&, std::span<const float* const> deltas, Out combined) const {
    for (size_t k = 0; k < combined.size(); ++k)
      combined[k] = deltas[0][k] / static_cast<float>(combined.size());
  }
};

}  // namespace

PLAIT_PLUGIN("broken.slice_length", "1.0.0", "Apache-2.0", reducer<Broken>("broken.slice_length_reducer"));
