// The largest number of each channel.
#include <plait/sdk.hpp>
#include <plait/sdk/checked.hpp>
#include <plait/sdk/fast.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace layers {
namespace {

// Where x, row `row`, is larger or NaN, it takes its place.
PLAIT_FAST void take_larger(const float* x, int32_t row, float* best, int32_t* places, size_t channels) {
  for (size_t k = 0; k < channels; ++k) {
    const bool is_larger = x[k] > best[k] || (x[k] != x[k] && best[k] == best[k]);
    best[k] = is_larger ? x[k] : best[k];
    places[k] = is_larger ? row : places[k];
  }
}

struct GlobalMaxPool {
  static void describe(Describe<GlobalMaxPool>& d) {
    d.doc("largest number of each channel over all places");
    d.details(
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y [N, C]. Axis 1 may vary: what lies past "
        "a\n"
        "sample's length does not count, and of none the result is 0. NaN is passed on.");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() < 3 || x.rank() > 5)
      s.fail("input is ", x, ", wanted f32 [N, W, C], [N, H, W, C] or [N, D, H, W, C]");
    if (x.variable_axis() > 1)
      s.fail("axis ", x.variable_axis(), " of the input varies, wanted axis 1 or fixed extents");
    const auto places = elements(x.shape().subspan(1, static_cast<size_t>(x.rank()) - 2));
    if (places.value() < 1 || places.value() > kMostPlaces)
      s.fail("input is ", x, " of ", places, " places, wanted 1 to ", kMostPlaces);
    s.output({x.shape(0), x.shape(-1)}).variable_axis = -1;
  }

  struct Kernel;

 private:
  static constexpr int64_t kMostPlaces = int64_t{1} << 30;
};

struct GlobalMaxPool::Kernel {
  size_t batch, rows, extent, channels;  // rows of a sample, extent of axis 1

  Kernel(const GlobalMaxPool&, Context&, const LayerRequest& r, LayerNeeds& n)
      : batch(static_cast<size_t>(r.input().shape(0))),
        extent(static_cast<size_t>(r.input().shape(1))),
        channels(static_cast<size_t>(r.input().shape(-1))) {
    rows = r.input().size() / std::max<size_t>(batch * channels, 1);
    n.backward_reads(Reads::nothing);
    n.accumulates();
    const Checked bytes = Checked(batch) * channels * sizeof(int32_t);
    r.training() ? n.saved(bytes) : n.workspace(bytes);
  }

  void forward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    auto* places = call.training() ? call.saved<int32_t>() : call.workspace<int32_t>();
    c.parallel_for(batch, grain(), [&](size_t n) {
      float* best = y + n * channels;
      int32_t* const place = places + n * channels;
      const size_t valid = rows / extent * static_cast<size_t>(call.input().length(n));
      const float* from = x + n * rows * channels;
      std::fill_n(place, channels, valid > 0 ? 0 : -1);
      if (valid == 0) return static_cast<void>(std::fill_n(best, channels, 0.0f));
      std::copy_n(from, channels, best);
      for (size_t r = 1; r < valid; ++r)
        take_larger(from + r * channels, static_cast<int32_t>(r), best, place, channels);
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const float* dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(batch, grain(), [&](size_t n) {
      float* to = dx + n * rows * channels;
      if (!call.accumulate()) std::fill_n(to, rows * channels, 0.0f);
      for (size_t k = 0; k < channels; ++k) {
        const int32_t place = call.saved<int32_t>()[n * channels + k];
        if (place >= 0) to[static_cast<size_t>(place) * channels + k] += dy[n * channels + k];
      }
    });
  }

 private:
  size_t grain() const { return 1 + Context::kDefaultGrain / (rows * channels + 1); }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.global_max_pool", "1.0.0", "Apache-2.0",
             layer<layers::GlobalMaxPool>("plait.global_max_pool"));
