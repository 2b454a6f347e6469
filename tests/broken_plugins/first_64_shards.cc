// A mean of the first 64 shards, however many there are.
// Caught by: within
// Words: 70 shards.*with the shards in the other order
#include <plait/sdk.hpp>

#include <algorithm>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void combine(Context&, std::span<const float* const> deltas, Out combined) const {
    const size_t shards = std::min<size_t>(deltas.size(), 64);
    for (size_t i = 0; i < combined.size(); ++i) {
      double sum = 0;
      for (size_t k = 0; k < shards; ++k) sum += deltas[k][i];
      combined[i] = static_cast<float>(sum / static_cast<double>(shards));
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.first_64_shards", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.first_64_shards_reducer"));
