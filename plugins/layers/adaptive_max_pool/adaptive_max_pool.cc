// The largest numbers of windows that follow from the extents wanted.
#include <plait/adaptive_windows.hpp>
#include <plait/sdk/fast.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace layers {
namespace {

constexpr int32_t kNone = -1;  // the place of a window without places

// Where x, at `place`, is larger or NaN, it takes its place.
PLAIT_FAST void take_larger(const float* x, int32_t place, float* best, int32_t* places, size_t channels) {
  for (size_t k = 0; k < channels; ++k) {
    const bool is_larger = x[k] > best[k] || (x[k] != x[k] && best[k] == best[k]);
    best[k] = is_larger ? x[k] : best[k];
    places[k] = is_larger ? place : places[k];
  }
}

struct AdaptiveMaxPool {
  static constexpr bool two_axes = true;

  std::vector<int64_t> size;

  static void describe(Describe<AdaptiveMaxPool>& d) {
    d.doc("largest numbers of as many windows as are wanted, whatever the extents of the input");
    d.details(
        "y[o] is the largest of x[floor(o I / O)] to x[ceil((o + 1) I / O) - 1] along each axis, of I inputs "
        "and\n"
        "O outputs; windows overlap where O does not divide I. Where extents vary, I is the sample's own.\n"
        "NaN is passed on.\n"
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y the same with the extents `size`.");
    d.field("size", &AdaptiveMaxPool::size)
        .doc("extents of the output: one for all axes, or one per axis")
        .range(1, kMostExtent)
        .unit("px")
        .required();
  }

  void infer(LayerShapes& s) const {
    s.output(AdaptiveWindows::shape(s.input(), size));
    Checked places = 1;
    for (int axis = 1; axis < s.input().rank() - 1; ++axis) places = places * s.input().shape(axis);
    if (places.value() > kMostPlaces)
      s.fail("input is ", s.input(), " of ", places, " places, wanted at most ", kMostPlaces);
  }

  struct Kernel;

 private:
  static constexpr int64_t kMostPlaces = int64_t{1} << 30;
};

struct AdaptiveMaxPool::Kernel {
  AdaptiveWindows windows;

  Kernel(const AdaptiveMaxPool& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : windows(r.input(), config.size) {
    n.backward_reads(Reads::nothing);
    n.accumulates();
    const Checked bytes = Checked(windows.batch()) * windows.outputs() * sizeof(int32_t);
    r.training() ? n.saved(bytes) : n.workspace(bytes);
  }

  void forward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    auto* places = call.training() ? call.saved<int32_t>() : call.workspace<int32_t>();
    c.parallel_for(windows.batch(), windows.grain(), [&](size_t n) {
      windows.of(call.input(), n).each([&](size_t output, const AdaptiveWindows::Window& window) {
        const size_t at = n * windows.outputs() + output * windows.channels();
        largest(window, x + n * windows.inputs(), y + at, places + at);
      });
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const float* dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(windows.batch(), windows.grain(), [&](size_t n) {
      float* const to = dx + n * windows.inputs();
      if (!call.accumulate()) std::fill_n(to, windows.inputs(), 0.0f);
      const size_t at = n * windows.outputs(), channels = windows.channels();
      for (size_t o = 0; o < windows.outputs(); ++o)
        if (const int32_t place = call.saved<int32_t>()[at + o]; place != kNone)
          to[static_cast<size_t>(place) * channels + o % channels] += dy[at + o];
    });
  }

 private:
  void largest(const AdaptiveWindows::Window& window, const float* x, float* y, int32_t* places) const {
    const size_t channels = windows.channels();
    bool first = true;
    window.each([&](size_t place) {
      const float* const from = x + place * channels;
      if (!first) return take_larger(from, static_cast<int32_t>(place), y, places, channels);
      std::copy_n(from, channels, y);
      std::fill_n(places, channels, static_cast<int32_t>(place));
      first = false;
    });
    if (!first) return;
    std::fill_n(y, channels, 0.0f);
    std::fill_n(places, channels, kNone);
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.adaptive_max_pool", "1.0.0", "Apache-2.0",
             layer<layers::AdaptiveMaxPool>("plait.adaptive_max_pool"));
