// A whole number without bounds.
// Caught by: bounded_integers
// Words: field "size" takes any whole number
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  int64_t size = 1;
  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("size", &Broken::size).doc("a number").at_least(1);
  }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.endless_range", "1.0.0", "Apache-2.0", layer<Broken>("broken.endless_range_layer"));
