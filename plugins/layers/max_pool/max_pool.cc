// The largest number of each window; its place is kept for backward.
#include <plait/simd.hpp>
#include <plait/window.hpp>

#include <cstring>

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
#include "max_pool.inc.hpp"
#include <plait/simd/avx2.hpp>
#include "max_pool.inc.hpp"
#include <plait/simd/avx512.hpp>
#include "max_pool.inc.hpp"
#include <plait/simd/end.hpp>
// clang-format on

namespace {

using namespace plait::sdk;

struct MaxPool {
  std::vector<int64_t> kernel, stride, padding = {0};

  static void describe(Describe<MaxPool>& d) {
    d.doc("largest number of each window");
    d.details(
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y the same with extents\n"
        "floor((input + 2 padding - kernel) / stride) + 1. Padding counts as minus infinity; NaN is passed "
        "on.");
    d.field("kernel", &MaxPool::kernel)
        .doc("extents of the window: one for all axes, or one per axis")
        .range(1, kMostExtent)
        .unit("px")
        .required();
    d.field("stride", &MaxPool::stride)
        .doc("steps of the window; the kernel when not given")
        .range(1, kMostExtent)
        .unit("px");
    d.field("padding", &MaxPool::padding)
        .doc("added on each side; less than the kernel")
        .range(0, kMostExtent)
        .unit("px");
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
    WindowWalk pool;
    size_t batch;

    Kernel(const MaxPool& config, Context&, const LayerRequest& r, LayerNeeds& n)
        : pool(config.window(r.input()), static_cast<size_t>(r.input().shape(-1))),
          batch(static_cast<size_t>(r.input().shape(0))) {
      n.backward_reads(Reads::nothing);
      n.accumulates();
      if (r.training())
        n.saved(Checked(batch) * pool.sample_outputs * (bytes() ? sizeof(uint8_t) : sizeof(float)));
    }

    void forward(Context& c, const LayerCall& call) const {
      bytes() ? forward(c, call, call.saved<uint8_t>()) : forward(c, call, call.saved<float>());
    }
    void backward(Context& c, const LayerCall& call) const {
      if (!call.input_gradient()) return;
      bytes() ? backward(c, call, call.saved<uint8_t>()) : backward(c, call, call.saved<float>());
    }

   private:
    bool bytes() const { return pool.taps <= 256; }

    template <class Place>
    void forward(Context& c, const LayerCall& call, Place* places) const {
      const float* x = call.input().f32().data();
      float* y = call.output().f32().data();
      if (!call.training()) places = nullptr;
      c.parallel_for(batch, grain(), [&](size_t i) {
        PLAIT_SIMD_CALL(pool_sample, pool, x + i * pool.sample_inputs, y + i * pool.sample_outputs,
                        places ? places + i * pool.sample_outputs : nullptr);
      });
    }
    template <class Place>
    void backward(Context& c, const LayerCall& call, const Place* places) const {
      const float* dy = call.output_gradient().f32().data();
      float* dx = call.input_gradient().f32().data();
      c.parallel_for(batch, grain(), [&](size_t i) {
        PLAIT_SIMD_CALL(unpool_sample, pool, dy + i * pool.sample_outputs, places + i * pool.sample_outputs,
                        dx + i * pool.sample_inputs, call.accumulate());
      });
    }
    size_t grain() const { return 1 + Context::kDefaultGrain / (pool.sample_inputs + 1); }
  };
};

}  // namespace

PLAIT_PLUGIN("plait.max_pool", "1.0.0", "Apache-2.0", layer<MaxPool>("plait.max_pool"));
