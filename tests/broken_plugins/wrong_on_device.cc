// Right on the host, but its gradient on a device is wrong.
// Caught by: input_gradient
// Words: the gradient of input 0
#include <plait/sdk.hpp>

#include "plain_device.h"

namespace {
using namespace plait::sdk;

struct Own : PlainDevice {
  static void describe(Describe<Own>& d) { d.doc("broken on purpose"); }
};

struct There {
  static void describe(Describe<There>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = x[i] * dy[i];  // wrong
  }
};

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

PLAIT_PLUGIN("broken.wrong_on_device", "1.0.0", "Apache-2.0", device<Own>("broken.wrong_on_device"),
             layer<Broken>("broken.wrong_on_device_layer"),
             implementation<There>("broken.wrong_on_device_layer", "broken.wrong_on_device"));
