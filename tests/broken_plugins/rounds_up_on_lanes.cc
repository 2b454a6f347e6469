// Rounds up on threads of loops that are not its own.
// Caught by: lane_state
// Words: changes the thread that runs a piece of its loop: rounding
#include <pthread.h>
#include <plait/sdk.hpp>

#include <cfenv>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context& c, In x, Out y) const {
    const pthread_t own = ::pthread_self();
    c.parallel_for(x.size(), 64, [&](size_t begin, size_t end) {
      if (!::pthread_equal(own, ::pthread_self())) std::fesetround(FE_UPWARD);
      for (size_t i = begin; i < end; ++i) y[i] = 2 * x[i];
    });
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.rounds_up_on_lanes", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.rounds_up_on_lanes_layer"));
