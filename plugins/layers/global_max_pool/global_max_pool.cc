// The largest number of each channel.
#include <plait/sample_places.hpp>
#include <plait/sdk.hpp>
#include <plait/sdk/checked.hpp>
#include <plait/sdk/fast.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace layers {
namespace {

constexpr int32_t kNone = -1;  // the place of a channel without places

// Where x, at `place`, is larger or NaN, it takes its place.
PLAIT_FAST void take_larger(const float* x, int32_t place, float* best, int32_t* places, size_t channels) {
  for (size_t k = 0; k < channels; ++k) {
    const bool is_larger = x[k] > best[k] || (x[k] != x[k] && best[k] == best[k]);
    best[k] = is_larger ? x[k] : best[k];
    places[k] = is_larger ? place : places[k];
  }
}

struct GlobalMaxPool {
  static constexpr bool two_axes = true;

  static void describe(Describe<GlobalMaxPool>& d) {
    d.doc("largest number of each channel over all places");
    d.details(
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y [N, C]. Extents may vary: what lies "
        "past a\n"
        "sample's own does not count, and of no places the result is 0. NaN is passed on.");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() < 3 || x.rank() > 5)
      s.fail("input is ", x, ", wanted f32 [N, W, C], [N, H, W, C] or [N, D, H, W, C]");
    if (x.varies(x.rank() - 1)) s.fail("the channels of the input vary, wanted a fixed number");
    const auto places = elements(x.shape().subspan(1, static_cast<size_t>(x.rank()) - 2));
    if (places.value() < 1 || places.value() > kMostPlaces)
      s.fail("input is ", x, " of ", places, " places, wanted 1 to ", kMostPlaces);
    s.output({x.shape(0), x.shape(-1)});
  }

  struct Kernel;

 private:
  static constexpr int64_t kMostPlaces = int64_t{1} << 30;
};

struct GlobalMaxPool::Kernel {
  SamplePlaces places;
  size_t batch, channels;

  Kernel(const GlobalMaxPool&, Context&, const LayerRequest& r, LayerNeeds& n)
      : places(r.input()),
        batch(static_cast<size_t>(r.input().shape(0))),
        channels(static_cast<size_t>(r.input().shape(-1))) {
    n.backward_reads(Reads::nothing);
    n.accumulates();
    const Checked bytes = Checked(batch) * channels * sizeof(int32_t);
    r.training() ? n.saved(bytes) : n.workspace(bytes);
  }

  void forward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    auto* chosen = call.training() ? call.saved<int32_t>() : call.workspace<int32_t>();
    c.parallel_for(batch, grain(), [&](size_t n) {
      largest(places.of(call.input(), n), x + n * sample(), y + n * channels, chosen + n * channels);
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const float* dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(batch, grain(), [&](size_t n) {
      float* to = dx + n * sample();
      if (!call.accumulate()) std::fill_n(to, sample(), 0.0f);
      for (size_t k = 0; k < channels; ++k) {
        const int32_t place = call.saved<int32_t>()[n * channels + k];
        if (place != kNone) to[static_cast<size_t>(place) * channels + k] += dy[n * channels + k];
      }
    });
  }

 private:
  size_t sample() const { return places.count() * channels; }
  size_t grain() const { return 1 + Context::kDefaultGrain / (sample() + 1); }

  void largest(SamplePlaces::Used used, const float* x, float* best, int32_t* chosen) const {
    std::fill_n(best, channels, 0.0f);
    std::fill_n(chosen, channels, kNone);
    bool first = true;
    places.each(used, [&](uint64_t place) {
      const float* const from = x + place * channels;
      if (!first) return take_larger(from, static_cast<int32_t>(place), best, chosen, channels);
      std::copy_n(from, channels, best);
      std::fill_n(chosen, channels, static_cast<int32_t>(place));
      first = false;
    });
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.global_max_pool", "1.0.0", "Apache-2.0",
             layer<layers::GlobalMaxPool>("plait.global_max_pool"));
