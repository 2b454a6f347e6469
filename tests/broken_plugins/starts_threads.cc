// Starts a thread while it is loaded.
// Caught by: starts_nothing
// Words: starts 1 threads
// Alone: it does something when it is loaded
#include <unistd.h>
#include <plait/sdk.hpp>
#include <thread>

namespace {
using namespace plait::sdk;

std::thread worker([] { pause(); });

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.starts_threads", "1.0.0", "Apache-2.0", layer<Broken>("broken.starts_threads_layer"));
