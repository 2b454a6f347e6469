// A layer: y = x * sigmoid(beta x).
// Source: Ramachandran, Zoph, Le 2017, "Searching for activation functions".
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace your_vendor {

struct YourName {
  float beta = 1;  // the default, written once

  static void describe(Describe<YourName>& d) {
    d.doc("x * sigmoid(beta x), elementwise");
    d.field("beta", &YourName::beta).doc("steepness of the gate").range(0, 100);
  }

  void forward(Context& c, In x, Out y) const {
    c.parallel_for(x.size(), [&](size_t i) { y[i] = x[i] / (1 + std::exp(-beta * x[i])); });
  }

  // d/dx x s(beta x) = s + beta x s (1 - s)
  void backward(Context& c, In x, In dy, Out dx) const {
    c.parallel_for(x.size(), [&](size_t i) {
      const float s = 1 / (1 + std::exp(-beta * x[i]));
      dx[i] = dy[i] * (s + beta * x[i] * s * (1 - s));
    });
  }
};

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             layer<your_vendor::YourName>("your_vendor.your_name"));
