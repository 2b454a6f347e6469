// Puts numbers back to where a max_pool took its own from.
#include <plait/window.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace layers {
namespace {

struct MaxUnpool : Pooling {
  static constexpr uint32_t min_inputs = 2, max_inputs = 2;

  static void describe(Describe<MaxUnpool>& d) {
    d.doc("puts numbers back to where a max_pool took its own from, zeros elsewhere");
    d.details(
        "Each number of x goes to the place of the largest of its window in `pooled`, which is what the\n"
        "max_pool of the same kernel, stride and padding had as its input; numbers that meet are added.\n"
        "Shapes: pooled [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; x as max_pool's output, y as "
        "pooled.\n"
        "The gradient of pooled is 0: places do not change with it.\n"
        "Source: Zeiler, Fergus 2014, section 2.1; Badrinarayanan, Kendall, Cipolla 2017.");
    describe_window(d);
  }
  static void examples(Examples& e) {
    e.add("kernel: 2").input(DType::f32, {2, 3, 3, 4}).input(DType::f32, {2, 6, 6, 4});
    e.add("kernel: 3 stride: 2 padding: 1").input(DType::f32, {3, 4, 5}).input(DType::f32, {3, 7, 5});
    e.add("kernel: 2 stride: 1").input(DType::f32, {1, 2, 3, 2, 2}).input(DType::f32, {1, 3, 4, 3, 2});
  }
  static void ports(Ports& p) {
    p.input("x", "[N, smaller extents, C]").doc("as many numbers as the max_pool gave");
    p.input("pooled", "[N, extents, C]").doc("what the max_pool had as its input");
    p.output("y", "[N, extents, C]");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input(0), pooled = s.input(1);
    const auto wanted = window(pooled).output_shape(pooled.shape(0), pooled.shape(-1));
    if (x.dtype() != DType::f32 || x.variable_axis() >= 0 || !std::ranges::equal(x.shape(), wanted))
      s.fail("input 0 is ", x, ", wanted f32", std::span<const int64_t>(wanted),
             ", what a max_pool makes of ", pooled);
    s.output_like(1);
  }

  struct Kernel;
};

struct MaxUnpool::Kernel {
  WindowWalk walk;
  size_t batch;

  Kernel(const MaxUnpool& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : walk(config.window(r.input(1)), static_cast<size_t>(r.input(1).shape(-1))),
        batch(static_cast<size_t>(r.input(1).shape(0))) {
    n.backward_reads(Reads::nothing);
    n.accumulates();
    const Checked bytes = Checked(batch) * walk.sample_outputs * sizeof(int64_t);
    r.training() ? n.saved(bytes) : n.workspace(bytes);
  }

  void forward(Context& c, const LayerCall& call) const {
    const float *x = call.input(0).f32().data(), *pooled = call.input(1).f32().data();
    float* y = call.output().f32().data();
    auto* places = call.training() ? call.saved<int64_t>() : call.workspace<int64_t>();
    c.parallel_for(batch, grain(), [&](size_t n) {
      const size_t small = n * walk.sample_outputs, large = n * walk.sample_inputs;
      find(pooled + large, places + small);
      std::fill_n(y + large, walk.sample_inputs, 0.0f);
      for (size_t i = 0; i < walk.sample_outputs; ++i)
        y[large + static_cast<size_t>(places[small + i])] += x[small + i];
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    const float* dy = call.output_gradient().f32().data();
    const auto* places = call.saved<int64_t>();
    c.parallel_for(batch, grain(), [&](size_t n) {
      const size_t small = n * walk.sample_outputs, large = n * walk.sample_inputs;
      if (call.input_gradient(0)) {
        float* dx = call.input_gradient(0).f32().data() + small;
        for (size_t i = 0; i < walk.sample_outputs; ++i) {
          const float from = dy[large + static_cast<size_t>(places[small + i])];
          dx[i] = call.accumulate(0) ? dx[i] + from : from;
        }
      }
      if (call.input_gradient(1) && !call.accumulate(1))
        std::fill_n(call.input_gradient(1).f32().data() + large, walk.sample_inputs, 0.0f);
    });
  }

 private:
  size_t grain() const { return 1 + Context::kDefaultGrain / (walk.sample_inputs + 1); }

  // In floats from the sample's begin; of equal ones the first, and a NaN is the largest, as in max_pool.
  void find(const float* pooled, int64_t* places) const {
    walk.each_window([&](const WindowAt& at) {
      bool first = true;
      walk.each_tap_inside(at, [&](size_t tap) {
        const ptrdiff_t from = at.origin + walk.offsets[tap];
        for (size_t k = 0; k < walk.channels; ++k) {
          int64_t& place = places[at.output + k];
          const auto here = static_cast<int64_t>(from) + static_cast<int64_t>(k);
          const float value = pooled[here];
          if (first || value > pooled[place] || value != value) place = here;
        }
        first = false;
      });
    });
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.max_unpool", "1.0.0", "Apache-2.0", layer<layers::MaxUnpool>("plait.max_unpool"));
