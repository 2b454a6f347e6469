// The mean of each window.
#include <plait/simd.hpp>
#include <plait/window.hpp>

#include <cstring>

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
#include "average_pool.inc.hpp"
#include <plait/simd/avx2.hpp>
#include "average_pool.inc.hpp"
#include <plait/simd/avx512.hpp>
#include "average_pool.inc.hpp"
#include <plait/simd/end.hpp>
// clang-format on

namespace {

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

  struct Kernel {
    WindowWalk walk;
    bool include_padding;
    size_t batch;

    Kernel(const AveragePool& config, Context&, const LayerRequest& r, LayerNeeds& n)
        : walk(config.window(r.input()), static_cast<size_t>(r.input().shape(-1))),
          include_padding(config.count_include_pad),
          batch(static_cast<size_t>(r.input().shape(0))) {
      n.backward_reads(Reads::nothing);
      n.accumulates();
    }

    void forward(Context& c, const LayerCall& call) const {
      const float* x = call.input().f32().data();
      float* y = call.output().f32().data();
      c.parallel_for(batch, grain(), [&](size_t i) {
        PLAIT_SIMD_CALL(average_sample, walk, include_padding, x + i * walk.sample_inputs,
                        y + i * walk.sample_outputs);
      });
    }
    void backward(Context& c, const LayerCall& call) const {
      if (!call.input_gradient()) return;
      const float* dy = call.output_gradient().f32().data();
      float* dx = call.input_gradient().f32().data();
      c.parallel_for(batch, grain(), [&](size_t i) {
        PLAIT_SIMD_CALL(spread_sample, walk, include_padding, dy + i * walk.sample_outputs,
                        dx + i * walk.sample_inputs, call.accumulate());
      });
    }

   private:
    size_t grain() const { return 1 + Context::kDefaultGrain / (walk.sample_inputs + 1); }
  };
};

}  // namespace

PLAIT_PLUGIN("plait.average_pool", "1.0.0", "Apache-2.0", layer<AveragePool>("plait.average_pool"));
