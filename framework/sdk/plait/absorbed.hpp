// The function that a layer has absorbed (see plait_epilogue), for kernels: y = f(x), and the slope that
// follows from y. In the host's kernels it is plait/simd.hpp's Activation.
//
//   Absorbed f = Absorbed::of(request);   // in the constructor of a Kernel
//   y[i] = f.apply(sum);                  // forward
//   d = f.slope(y[i]) * dy[i];            // backward; needs y where f.needs_output()
//
// Threads: [any]
#pragma once
#include <cmath>

#include "anywhere.hpp"
#include "sdk/layer.hpp"

namespace plait::sdk {

struct Absorbed {
  enum Kind { kIdentity, kRelu, kTanh, kSigmoid, kLinear };
  Kind kind = kIdentity;
  float alpha = 0, beta = 0;

  // Fails with: kUnsupported for a function that is not known here.
  static Absorbed of(const LayerRequest& request) {
    if (request.epilogues() == 0) return {};
    const Epilogue e = request.epilogue();
    const Kind kind = e.name == "relu"      ? kRelu
                      : e.name == "tanh"    ? kTanh
                      : e.name == "sigmoid" ? kSigmoid
                      : e.name == "linear"  ? kLinear
                                            : kIdentity;
    if (kind == kIdentity) throw Unsupported("cannot absorb ", e.name, " here");
    return {kind, static_cast<float>(e.alpha), static_cast<float>(e.beta)};
  }

  bool is_identity() const { return kind == kIdentity; }
  // Whether slope looks at y.
  bool needs_output() const { return kind == kRelu || kind == kTanh || kind == kSigmoid; }
  // max(x, 0), which vendors' libraries have built in.
  bool is_plain_relu() const { return kind == kRelu && alpha == 0; }

  PLAIT_ANYWHERE float apply(float x) const {
    switch (kind) {
      case kRelu:
        return relu(x, alpha);
      case kTanh:
        return tanhf(x);
      case kSigmoid:
        return 1 / (1 + expf(-x));
      case kLinear:
        return alpha * x + beta;
      default:
        return x;
    }
  }
  PLAIT_ANYWHERE float slope(float y) const {
    switch (kind) {
      case kRelu:
        return y > 0 ? 1 : alpha;
      case kTanh:
        return 1 - y * y;
      case kSigmoid:
        return y - y * y;
      case kLinear:
        return alpha;
      default:
        return 1;
    }
  }
  // NaN stays NaN; -infinity becomes 0 where the slope below zero is 0.
  PLAIT_ANYWHERE static float relu(float x, float slope_below) {
    if (x <= 0) return slope_below == 0 ? 0 : slope_below * x;
    return x;
  }
};

}  // namespace plait::sdk
