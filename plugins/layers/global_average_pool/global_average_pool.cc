// The mean of each channel: sums in f64, one place after the other, so that padding changes no bit.
#include "global_average_pool.h"

#include <algorithm>

using namespace plait::sdk;

namespace layers {
namespace {

constexpr size_t kChannels = 64;  // whose sums are kept at once

struct GlobalAveragePoolOnHost : GlobalAveragePool {
  void forward(Context& c, const LayerCall& call) const {
    const Sizes sizes(call.input());
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    c.parallel_for(sizes.batch, sizes.grain(), [&](size_t n) {
      const PooledPlaces::Used used = sizes.places.of(call.input(), n);
      for (size_t from = 0; from < sizes.channels; from += kChannels)
        average(sizes, used, x + n * sizes.sample(), from, y + n * sizes.channels);
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const Sizes sizes(call.input());
    const float* dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(sizes.batch, sizes.grain(), [&](size_t n) {
      float* const own = dx + n * sizes.sample();
      if (!call.accumulate()) std::fill_n(own, sizes.sample(), 0.0f);
      spread(sizes, sizes.places.of(call.input(), n), dy + n * sizes.channels, own);
    });
  }

 private:
  struct Sizes {
    PooledPlaces places;
    size_t batch, channels;
    explicit Sizes(Tensor x)
        : places(x), batch(static_cast<size_t>(x.shape(0))), channels(static_cast<size_t>(x.shape(-1))) {}
    size_t sample() const { return places.count() * channels; }
    size_t grain() const { return 1 + Context::kDefaultGrain / (sample() + 1); }
  };

  static void average(const Sizes& sizes, PooledPlaces::Used used, const float* x, size_t from, float* y) {
    const size_t count = std::min(kChannels, sizes.channels - from);
    double sums[kChannels] = {};
    sizes.places.each(used, [&](uint64_t place) {
      const float* const row = x + place * sizes.channels + from;
      for (size_t k = 0; k < count; ++k) sums[k] += row[k];
    });
    const uint64_t places = sizes.places.count(used);
    for (size_t k = 0; k < count; ++k)
      y[from + k] = places == 0 ? 0.0f : static_cast<float>(sums[k] / static_cast<double>(places));
  }

  static void spread(const Sizes& sizes, PooledPlaces::Used used, const float* dy, float* dx) {
    const auto places = static_cast<float>(sizes.places.count(used));
    sizes.places.each(used, [&](uint64_t place) {
      float* const row = dx + place * sizes.channels;
      for (size_t k = 0; k < sizes.channels; ++k) row[k] += dy[k] / places;
    });
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.global_average_pool", "1.0.0", "Apache-2.0",
             layer<layers::GlobalAveragePoolOnHost>("plait.global_average_pool"));
