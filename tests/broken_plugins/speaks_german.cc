// Sets the locale, by which every number of the process is read and written.
// Caught by: process_state
// Words: the locale .setlocale.
#include <clocale>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    std::setlocale(LC_NUMERIC, "C.UTF-8");
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.speaks_german", "1.0.0", "Apache-2.0", layer<Broken>("broken.speaks_german_layer"));
