// Combines in memory that all of its calls share.
// Caught by: concurrent
// Words: the result differs when several threads use one instance
#include <algorithm>
#include <iterator>
#include <plait/sdk.hpp>
#include <thread>

namespace {
using namespace plait::sdk;

struct Broken {
  mutable float column[1024];  // of fixed size: the race spoils results, not the heap

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void combine(Context&, std::span<const float* const> deltas, Out combined) const {
    const size_t shards = std::min(deltas.size(), std::size(column));
    for (size_t k = 0; k < combined.size(); ++k) {
      for (size_t i = 0; i < shards; ++i) column[i] = deltas[i][k];
      if (k % 8 == 0) std::this_thread::yield();
      float sum = 0;
      for (size_t i = 0; i < shards; ++i) sum += column[i];
      combined[k] = sum / static_cast<float>(shards);
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.shared_scratch", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.shared_scratch_reducer"));
