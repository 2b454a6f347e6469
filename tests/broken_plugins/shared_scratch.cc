// Combines in memory that all of its calls share.
// Caught by: concurrent
// Words: the result differs when several threads use one instance
#include <algorithm>
#include <plait/sdk.hpp>
#include <thread>
#include <vector>

namespace {
using namespace plait::sdk;

struct Broken {
  mutable std::vector<float> sorted;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void combine(Context&, std::span<const float* const> deltas, Out combined) const {
    for (size_t k = 0; k < combined.size(); ++k) {
      sorted.assign(1024, 0.0f);
      for (size_t i = 0; i < deltas.size(); ++i) sorted[i] = deltas[i][k];
      if (k % 8 == 0) std::this_thread::yield();
      std::sort(sorted.begin(), sorted.begin() + static_cast<ptrdiff_t>(deltas.size()));
      combined[k] = sorted[deltas.size() / 2];
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.shared_scratch", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.shared_scratch_reducer"));
