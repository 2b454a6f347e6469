// What the implementations of average_pool share: its fields, shapes and errors.
#pragma once
#include <plait/sdk.hpp>
#include <plait/window.hpp>

namespace layers {

using namespace plait::sdk;

struct AveragePool {
  std::vector<int64_t> kernel, stride, padding = {0};
  bool count_include_pad = true;

  static void describe(Describe<AveragePool>& d) {
    d.doc("mean of each window");
    d.details(
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y the same with extents\n"
        "floor((input + 2 padding - kernel) / stride) + 1.");
    d.field("kernel", &AveragePool::kernel)
        .doc("extents of the window: one for all axes, or one per axis")
        .range(1, kMostExtent)
        .unit("px")
        .required();
    d.field("stride", &AveragePool::stride)
        .doc("steps of the window; the kernel when not given")
        .range(1, kMostExtent)
        .unit("px");
    d.field("padding", &AveragePool::padding)
        .doc("added on each side; less than the kernel")
        .range(0, kMostExtent)
        .unit("px");
    d.field("count_include_pad", &AveragePool::count_include_pad)
        .doc("padding counts as zeros; else the mean is over inputs alone");
  }

  Window window(Spec x) const {
    static constexpr int64_t kOne[] = {1};
    const Window w(x, kernel, stride, padding, kOne);
    for (int a = 0; a < 3; ++a) {
      if (w.padding[a] > 0 && w.padding[a] >= w.kernel[a]) {
        throw Error("padding ", w.text_of(w.padding), " is not smaller than the kernel ",
                    w.text_of(w.kernel));
      }
    }
    return w;
  }

  void infer(LayerShapes& s) const {
    s.output(window(s.input()).output_shape(s.input().shape(0), s.input().shape(-1)));
  }

  struct Kernel;  // average_pool.cc: the host's
};

}  // namespace layers
