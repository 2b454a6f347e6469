// What the implementations of max_pool share: its fields, shapes and errors.
#pragma once
#include <plait/sdk.hpp>
#include <plait/window.hpp>

namespace layers {

using namespace plait::sdk;

struct MaxPool : Pooling {
  std::string implementation = "auto";

  static void describe(Describe<MaxPool>& d) {
    d.doc("largest number of each window");
    d.details(
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32 or bf16; y alike with extents\n"
        "floor((input + 2 padding - kernel) / stride) + 1. Padding counts as minus infinity; NaN is passed "
        "on.\n"
        "Spatial axes may vary, up to two, without padding along them.");
    describe_window(d);
    d.field("implementation", &MaxPool::implementation)
        .doc("whose loops; auto: own, which pass NaN on")
        .choices({"auto", "onednn", "own"});
  }

  Window window(Spec x) const { return Pooling::window(x, false, DType::bf16); }
  void infer(LayerShapes& s) const { infer_outputs(s, window(s.input())); }

  struct Kernel;  // max_pool.cc: the host's
};

}  // namespace layers
