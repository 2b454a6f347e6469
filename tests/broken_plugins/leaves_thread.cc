// Leaves a thread behind.
// Caught by: process_state
// Words: 1 threads are left behind
#include <unistd.h>
#include <mutex>
#include <plait/sdk.hpp>
#include <thread>

namespace {
using namespace plait::sdk;

std::once_flag once;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    std::call_once(once, [] { std::thread([] { pause(); }).detach(); });
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.leaves_thread", "1.0.0", "Apache-2.0", layer<Broken>("broken.leaves_thread_layer"));
