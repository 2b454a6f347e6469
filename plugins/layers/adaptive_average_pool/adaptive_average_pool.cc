// Means of windows that follow from the extents wanted: sums in f64, one place after the other.
#include <plait/adaptive_windows.hpp>
#include <plait/sdk/fast.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace layers {
namespace {

constexpr size_t kChannels = 64;  // whose sums are kept at once

PLAIT_FAST void add(const float* x, double* sums, size_t count) {
  for (size_t k = 0; k < count; ++k) sums[k] += x[k];
}
PLAIT_FAST void divide(const double* sums, double places, float* y, size_t count) {
  for (size_t k = 0; k < count; ++k) y[k] = static_cast<float>(sums[k] / places);
}
PLAIT_FAST void add_share(const float* dy, float places, float* dx, size_t count) {
  for (size_t k = 0; k < count; ++k) dx[k] += dy[k] / places;
}

struct AdaptiveAveragePool {
  static constexpr bool two_axes = true;

  std::vector<int64_t> size;

  static void describe(Describe<AdaptiveAveragePool>& d) {
    d.doc("means of as many windows as are wanted, whatever the extents of the input");
    d.details(
        "y[o] is the mean of x[floor(o I / O)] to x[ceil((o + 1) I / O) - 1] along each axis, of I inputs "
        "and\n"
        "O outputs; windows overlap where O does not divide I. Where extents vary, I is the sample's own.\n"
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y the same with the extents `size`.");
    d.field("size", &AdaptiveAveragePool::size)
        .doc("extents of the output: one for all axes, or one per axis")
        .range(1, kMostExtent)
        .unit("px")
        .required();
  }
  void infer(LayerShapes& s) const { s.output(AdaptiveWindows::shape(s.input(), size)); }

  struct Kernel;
};

struct AdaptiveAveragePool::Kernel {
  AdaptiveWindows windows;

  Kernel(const AdaptiveAveragePool& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : windows(r.input(), config.size) {
    n.backward_reads(Reads::nothing);
    n.accumulates();
  }

  void forward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    c.parallel_for(windows.batch(), windows.grain(), [&](size_t n) {
      windows.of(call.input(), n).each([&](size_t output, const AdaptiveWindows::Window& window) {
        average(window, x + n * windows.inputs(), y + n * windows.outputs() + output * windows.channels());
      });
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const float* dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    const size_t channels = windows.channels();
    c.parallel_for(windows.batch(), windows.grain(), [&](size_t n) {
      float* const to = dx + n * windows.inputs();
      if (!call.accumulate()) std::fill_n(to, windows.inputs(), 0.0f);
      windows.of(call.input(), n).each([&](size_t output, const AdaptiveWindows::Window& window) {
        const float* const from = dy + n * windows.outputs() + output * channels;
        const auto places = static_cast<float>(window.count());
        window.each([&](size_t place) { add_share(from, places, to + place * channels, channels); });
      });
    });
  }

 private:
  void average(const AdaptiveWindows::Window& window, const float* x, float* y) const {
    const size_t channels = windows.channels();
    if (window.count() == 0) return std::fill_n(y, channels, 0.0f), void();
    for (size_t from = 0; from < channels; from += kChannels) {
      const size_t count = std::min(kChannels, channels - from);
      double sums[kChannels] = {};
      window.each([&](size_t place) { add(x + place * channels + from, sums, count); });
      divide(sums, static_cast<double>(window.count()), y + from, count);
    }
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.adaptive_average_pool", "1.0.0", "Apache-2.0",
             layer<layers::AdaptiveAveragePool>("plait.adaptive_average_pool"));
