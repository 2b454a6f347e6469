// Blocks all signals on threads of loops that are not its own.
// Caught by: lane_state
// Words: changes the thread that runs a piece of its loop: the blocked signals
#include <pthread.h>
#include <signal.h>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context& c, In x, Out y) const {
    const pthread_t own = ::pthread_self();
    c.parallel_for(x.size(), 64, [&](size_t begin, size_t end) {
      sigset_t all;
      ::sigfillset(&all);
      if (!::pthread_equal(own, ::pthread_self())) ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
      for (size_t i = begin; i < end; ++i) y[i] = 2 * x[i];
    });
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.blocks_signals_on_lanes", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.blocks_signals_on_lanes_layer"));
