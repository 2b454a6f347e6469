// Caught by: same_over_lanes
// Words: ThreadSanitizer: data race .*races_unseen.cc:24 in .*count
// Sanitizer: thread
// Threads add to one number without a lock; nobody can see it in the results.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct RacesUnseen {
  static void describe(Describe<RacesUnseen>& d) { d.doc("y = 2 x"); }

  void forward(Context& c, In x, Out y) const {
    size_t calls = 0;
    c.parallel_for(x.size(), [&](uint64_t begin, uint64_t end) {
      for (uint64_t i = begin; i < end; ++i) y[i] = 2 * x[i];
      count(calls);
    });
  }
  void backward(Context&, In, In dy, Out dx) const {
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = 2 * dy[i];
  }
  static void count(size_t& calls) { ++calls; }
};

}  // namespace

PLAIT_PLUGIN("broken.races_unseen", "1.0.0", "Apache-2.0", layer<RacesUnseen>("broken.races_unseen"));
