// A layer of one's own: y = x * sigmoid(beta * x).
// Source: Ramachandran, Zoph, Le 2017, "Searching for activation functions".
#include <cmath>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace acme {

struct Swish {
  float beta = 1.0f;  // the default, written once

  static void describe(Describe<Swish>& d) {
    d.doc("x * sigmoid(beta * x), elementwise");
    d.field("beta", &Swish::beta).doc("steepness of the gate").range(0, 100);
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

}  // namespace acme

PLAIT_PLUGIN("acme.activations", "1.0.0", "BSD-3-Clause", layer<acme::Swish>("acme.swish"));
