// What the implementations of average_pool share: its fields, shapes and errors.
#pragma once
#include <plait/sdk.hpp>
#include <plait/window.hpp>

namespace layers {

using namespace plait::sdk;

struct AveragePool : Pooling {
  bool count_include_pad = true;
  std::string implementation = "auto";

  static void describe(Describe<AveragePool>& d) {
    d.doc("mean of each window");
    d.details(
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32 or bf16; y alike with extents\n"
        "floor((input + 2 padding - kernel) / stride) + 1.\n"
        "Spatial axes may vary, up to two; without count_include_pad there is no padding along them.");
    describe_window(d);
    d.field("count_include_pad", &AveragePool::count_include_pad)
        .doc("padding counts as zeros; else the mean is over inputs alone");
    d.field("implementation", &AveragePool::implementation)
        .doc("whose loops; auto: onednn, which was measured to be faster (README.md)")
        .choices({"auto", "onednn", "own"});
  }

  Window window(Spec x) const { return Pooling::window(x, count_include_pad, DType::bf16); }
  void infer(LayerShapes& s) const { infer_outputs(s, window(s.input())); }

  struct Kernel;  // average_pool.cc: the host's
};

}  // namespace layers
