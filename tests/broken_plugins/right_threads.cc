// Caught by: nothing
// Words: 0 failed
// Sanitizer: thread
// No race: ThreadSanitizer finds none in the kit's own loops either.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct RightThreads {
  static constexpr bool in_place = true;
  static void describe(Describe<RightThreads>& d) { d.doc("y = 2 x"); }
  void forward(Context& c, In x, Out y) const {
    c.parallel_for(x.size(), [&](size_t i) { y[i] = 2 * x[i]; });
  }
  void backward_from_output(Context& c, In, In dy, Out dx) const {
    c.parallel_for(dy.size(), [&](size_t i) { dx[i] = 2 * dy[i]; });
  }
};

}  // namespace

PLAIT_PLUGIN("broken.right_threads", "1.0.0", "Apache-2.0", layer<RightThreads>("broken.right_threads"));
