// Crashes at the end of a process that has worked with it.
// Caught by: exit
// Words: crashes .SIGABRT. when it ends after a step
#include <cstdlib>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Last {
  ~Last() { std::abort(); }
};

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    static const Last last;
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.crashes_after_work", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.crashes_after_work_layer"));
