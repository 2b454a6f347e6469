// A layer: y = x * sigmoid(beta x). This file runs it on the host's processor, your_name.cu on CUDA devices.
// Source: Ramachandran, Zoph, Le 2017, "Searching for activation functions".
#include "your_name.h"

#include <cmath>

using namespace plait::sdk;

namespace your_vendor {

struct YourNameOnHost : YourName {
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

#ifndef PLAIT_CUDA  // built without a CUDA compiler
Entry on_cuda() { return {}; }
#endif

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             layer<your_vendor::YourNameOnHost>("your_vendor.your_name"), your_vendor::on_cuda());
