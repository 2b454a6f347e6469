// The largest numbers of windows that follow from the extents wanted.
#include <plait/sdk/fast.hpp>
#include <plait/spatial.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

// Where x, at `place`, is larger or NaN, it takes its place.
PLAIT_FAST void take_larger(const float* x, int32_t place, float* best, int32_t* places, size_t channels) {
  for (size_t k = 0; k < channels; ++k) {
    const bool is_larger = x[k] > best[k] || (x[k] != x[k] && best[k] == best[k]);
    best[k] = is_larger ? x[k] : best[k];
    places[k] = is_larger ? place : places[k];
  }
}

struct AdaptiveMaxPool {
  std::vector<int64_t> size;

  static void describe(Describe<AdaptiveMaxPool>& d) {
    d.doc("largest numbers of as many windows as are wanted, whatever the extents of the input");
    d.details(
        "y[o] is the largest of x[floor(o I / O)] to x[ceil((o + 1) I / O) - 1] along each axis, of I inputs "
        "and\n"
        "O outputs; windows overlap where O does not divide I. NaN is passed on.\n"
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y the same with the extents `size`.");
    d.field("size", &AdaptiveMaxPool::size)
        .doc("extents of the output: one for all axes, or one per axis")
        .range(1, kMostExtent)
        .unit("px")
        .required();
  }

  void infer(LayerShapes& s) const {
    const SpatialAxes x(s.input());
    std::vector<int64_t> shape{s.input().shape(0)};
    Checked places = 1;
    for (int a = 0; a < x.count(); ++a) {
      if (x.varies(a)) s.fail("axis ", a + 1, " of the input varies, wanted fixed extents");
      shape.push_back(x.value("size", size, a));
      places = places * x.extent(a);
    }
    if (places.value() > kMostPlaces)
      s.fail("input is ", s.input(), " of ", places, " places, wanted at most ", kMostPlaces);
    shape.push_back(s.input().shape(-1));
    s.output(std::move(shape));
  }

  struct Kernel;

 private:
  static constexpr int64_t kMostPlaces = int64_t{1} << 30;
};

struct AdaptiveMaxPool::Kernel {
  std::array<size_t, 3> in{1, 1, 1}, out{1, 1, 1};  // D, H, W; missing leading ones are 1
  size_t batch, channels;

  Kernel(const AdaptiveMaxPool& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : batch(static_cast<size_t>(r.input().shape(0))), channels(static_cast<size_t>(r.input().shape(-1))) {
    const SpatialAxes x(r.input());
    for (int a = 0; a < x.count(); ++a) {
      const auto at = static_cast<size_t>(3 - x.count() + a);
      in[at] = static_cast<size_t>(x.extent(a));
      out[at] = static_cast<size_t>(x.value("size", config.size, a));
    }
    n.backward_reads(Reads::nothing);
    n.accumulates();
    const Checked bytes = Checked(batch) * outputs() * sizeof(int32_t);
    r.training() ? n.saved(bytes) : n.workspace(bytes);
  }

  void forward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    auto* places = call.training() ? call.saved<int32_t>() : call.workspace<int32_t>();
    c.parallel_for(batch, grain(), [&](size_t n) {
      const size_t at = n * outputs();
      size_t o = 0;
      for (size_t d = 0; d < out[0]; ++d)
        for (size_t h = 0; h < out[1]; ++h)
          for (size_t w = 0; w < out[2]; ++w, o += channels)
            largest(x + n * inputs(), {d, h, w}, y + at + o, places + at + o);
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const float* dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(batch, grain(), [&](size_t n) {
      float* to = dx + n * inputs();
      if (!call.accumulate()) std::fill_n(to, inputs(), 0.0f);
      const size_t at = n * outputs();
      for (size_t o = 0; o < outputs(); ++o)
        to[static_cast<size_t>(call.saved<int32_t>()[at + o]) * channels + o % channels] += dy[at + o];
    });
  }

 private:
  size_t inputs() const { return in[0] * in[1] * in[2] * channels; }
  size_t outputs() const { return out[0] * out[1] * out[2] * channels; }
  size_t grain() const { return 1 + Context::kDefaultGrain / (inputs() + outputs() + 1); }

  // The window of output o along an axis: begin(axis, o) to before end(axis, o).
  size_t begin(size_t axis, size_t o) const { return o * in[axis] / out[axis]; }
  size_t end(size_t axis, size_t o) const { return ((o + 1) * in[axis] + out[axis] - 1) / out[axis]; }

  void largest(const float* x, std::array<size_t, 3> o, float* y, int32_t* places) const {
    bool first = true;
    for (size_t d = begin(0, o[0]); d < end(0, o[0]); ++d)
      for (size_t h = begin(1, o[1]); h < end(1, o[1]); ++h)
        for (size_t w = begin(2, o[2]); w < end(2, o[2]); ++w, first = false) {
          const size_t place = (d * in[1] + h) * in[2] + w;
          const float* from = x + place * channels;
          if (first) {
            std::copy_n(from, channels, y);
            std::fill_n(places, channels, static_cast<int32_t>(place));
          } else {
            take_larger(from, static_cast<int32_t>(place), y, places, channels);
          }
        }
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.adaptive_max_pool", "1.0.0", "Apache-2.0",
             layer<layers::AdaptiveMaxPool>("plait.adaptive_max_pool"));
