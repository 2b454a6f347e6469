// What a thread of global_average_pool does; a test runs it on the host.
#pragma once
#include "global_average_pool.h"

namespace layers {

struct PooledBatch {
  PooledPlaces places;
  uint64_t batch, channels;
  const int32_t* first;  // [batch] each: extents along the variable axes; null: all
  const int32_t* second;

  PLAIT_ANYWHERE PooledPlaces::Used used(uint64_t n) const {
    return {first != nullptr ? static_cast<uint64_t>(first[n]) : places.first,
            second != nullptr ? static_cast<uint64_t>(second[n]) : places.second};
  }
};

// y[i] of [N, C].
struct PoolForward {
  PooledBatch of;
  const float* x;
  float* y;
  PLAIT_ANYWHERE void operator()(uint64_t i) const {
    const uint64_t n = i / of.channels, channel = i % of.channels;
    const PooledPlaces::Used used = of.used(n);
    const float* const own = x + n * of.places.count() * of.channels + channel;
    double sum = 0;
    of.places.each(used, [&](uint64_t place) { sum += own[place * of.channels]; });
    const uint64_t count = of.places.count(used);
    y[i] = count == 0 ? 0.0f : static_cast<float>(sum / static_cast<double>(count));
  }
};

// dx of channel i of [N, C]; written as zeros before, or added to.
struct PoolBackward {
  PooledBatch of;
  const float* dy;
  float* dx;
  PLAIT_ANYWHERE void operator()(uint64_t i) const {
    const uint64_t n = i / of.channels, channel = i % of.channels;
    const PooledPlaces::Used used = of.used(n);
    float* const own = dx + n * of.places.count() * of.channels + channel;
    const float each = dy[i] / static_cast<float>(of.places.count(used));
    of.places.each(used, [&](uint64_t place) { own[place * of.channels] += each; });
  }
};

}  // namespace layers
