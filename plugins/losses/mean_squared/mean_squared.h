// What the implementations of mean_squared share: its fields and shapes.
#pragma once
#include <plait/sdk.hpp>

namespace losses {

using namespace plait::sdk;

struct MeanSquared {
  static constexpr bool weighted = true, two_axes = true;

  static void describe(Describe<MeanSquared>& d) {
    d.doc("mean of (prediction - target)^2 over all elements");
    d.details(
        "Shapes: prediction [N, ...] f32; target [N, ...] f32, u8 or i32 with as many elements per sample "
        "(compared in\n"
        "their order). Elements past a sample's extents count for nothing; then the shapes are equal.\n"
        "Weights of samples: each element weighs as its sample; the mean is over the sum of weights.\n"
        "Gradient of the mean: 2 (prediction - target) / count.");
  }

  void check(const LossShapes& s) const {
    const Spec p = s.prediction(), t = s.target();
    if (p.dtype() != DType::f32 || p.rank() < 1) s.fail("prediction is ", p, ", wanted f32[N, ...]");
    if (t.dtype() != DType::f32 && t.dtype() != DType::u8 && t.dtype() != DType::i32) {
      s.fail("target is ", t, ", wanted f32, u8 or i32");
    }
    if (t.rank() < 1 || t.shape(0) != p.shape(0) || t.size() != p.size()) {
      s.fail("target ", t, " has not as many elements per sample as prediction ", p);
    }
  }
};

}  // namespace losses
