// What a layer of one input and a weight [filters, ...] computes from a range of its input (onednn_int8.hpp),
// looked at beside the same layer in f32. See testing.hpp.
#pragma once
#include <plait/onednn_int8.hpp>

#include <cmath>

#include "testing_layer.hpp"

namespace plait::sdk::testing {

// Scales as they are derived from a range and from a filter's largest weight.
struct Int8Scales {
  float input, steps;
  bool is_signed, is_halved;

  explicit Int8Scales(Range range)
      : is_signed(range.low < 0), is_halved(!plait::sdk::detail::adds_in_32_bits()) {
    const double largest = std::max(-range.low, range.high);
    input = static_cast<float>(largest / (is_signed ? 127.0 : 255.0));
    steps = is_halved ? 63.0f : 127.0f;
  }
  float weight(const float* of_filter, size_t terms) const {
    float largest = 0;
    for (size_t t = 0; t < terms; ++t) largest = std::max(largest, std::fabs(of_filter[t]));
    return largest / steps;
  }
};

// The numbers that integers stand for, in place of the numbers themselves.
inline void round_to_int8(Out x, const Int8Scales& scales) {
  const float low = scales.is_signed ? -127.0f : 0, high = scales.is_signed ? 127.0f : 255.0f;
  for (float& v : x) v = scales.input * std::nearbyint(std::min(std::max(v * (1 / scales.input), low), high));
}
inline void round_weights(Out w, size_t filters, const Int8Scales& scales) {
  const size_t terms = w.size() / filters;
  for (size_t f = 0; f < filters; ++f) {
    const float scale = scales.weight(w.data() + f * terms, terms);
    for (size_t t = 0; t < terms && scale > 0; ++t)
      w[f * terms + t] = scale * std::nearbyint(w[f * terms + t] / scale);
  }
}

// Of each output.
struct Int8Results {
  std::vector<float> exact;    // in f32, of the numbers themselves
  std::vector<float> rounded;  // in f32, of those that the integers stand for
  std::vector<float> int8;     // on integers
};

// The layer is left as made for integers.
inline Int8Results int8_results(LayerTest& layer, Range range) {
  const auto outputs = [&] {
    layer.forward();
    const Out y = layer.output().f32();
    return std::vector<float>(y.begin(), y.end());
  };
  Int8Results results;
  results.exact = outputs();
  const Out x = layer.input().f32(), w = layer.parameters[0].f32();
  const std::vector<float> kept_x(x.begin(), x.end()), kept_w(w.begin(), w.end());
  const Int8Scales scales(range);
  round_to_int8(x, scales);
  round_weights(w, static_cast<size_t>(layer.parameters[0].spec().shape[0]), scales);
  results.rounded = outputs();
  std::copy(kept_x.begin(), kept_x.end(), x.begin());
  std::copy(kept_w.begin(), kept_w.end(), w.begin());
  layer.quantize({range});
  results.int8 = outputs();
  return results;
}

}  // namespace plait::sdk::testing
