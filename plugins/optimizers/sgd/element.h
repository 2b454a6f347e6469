// A step of sgd for one element, for kernels.
// Source: see sgd.cc.
// Threads: [any]
#pragma once
#include <plait/anywhere.hpp>

namespace sgd {

struct Numbers {
  float rate, momentum, decay;
  bool nesterov;
  float rest = 1;  // share of the gradient in the velocity: 1 - dampening, but 1 in the first step
};

// The new weight; v becomes the new velocity, and is the gradient's alone where momentum is 0.
PLAIT_ANYWHERE inline float step(const Numbers& n, float g, float w, float& v) {
  const float d = g + n.decay * w;
  v = n.momentum * v + n.rest * d;
  return w - n.rate * (n.nesterov ? d + n.momentum * v : v);
}

}  // namespace sgd
