// A mean that finds its places in 16 bits.
// Caught by: large
// Words: element 65536 of .* when the deltas are cut into slices
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void combine(Context&, std::span<const float* const> deltas, Out combined) const {
    for (size_t i = 0; i < combined.size(); ++i) {
      double sum = 0;
      for (const float* delta : deltas) sum += delta[static_cast<uint16_t>(i)];
      combined[i] = static_cast<float>(sum / static_cast<double>(deltas.size()));
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.combines_in_16_bits", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.combines_in_16_bits_reducer"));
