// Sets the locale while it is loaded.
// Caught by: process_state
// Words: loading changes the process: the locale
// Alone: it does something when it is loaded
#include <clocale>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

[[maybe_unused]] const char* const locale = std::setlocale(LC_ALL, "C.UTF-8");

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.sets_locale_at_load", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.sets_locale_at_load_layer"));
