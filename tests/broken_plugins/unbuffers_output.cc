// Takes the buffer of standard output away.
// Caught by: process_state
// Words: a step changes the process: the buffer of standard output
#include <plait/sdk.hpp>

#include <cstdio>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    std::setvbuf(stdout, nullptr, _IONBF, 0);
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.unbuffers_output", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.unbuffers_output_layer"));
