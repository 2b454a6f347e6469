// Caught by: shapes
// Words: shifts_too_far.cc:16:.*runtime error: shift exponent
// Sanitizer: undefined
// Shifts a number by more than it has bits.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct ShiftsTooFar {
  static void describe(Describe<ShiftsTooFar>& d) { d.doc("y = x"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) {
      const int places = static_cast<int>(i);
      y[i] = x[i] + static_cast<float>((1 << (places + 30)) & 0);
    }
  }
  void backward(Context&, In, In dy, Out dx) const {
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.shifts_too_far", "1.0.0", "Apache-2.0", layer<ShiftsTooFar>("broken.shifts_too_far"));
