// Colours of a pixel, without branches: loops that call these in a function marked PLAIT_FAST (sdk/fast.hpp)
// are vectorised. Optional; sdk.hpp does not include it. Threads: [any]
#pragma once
#include "functions.hpp"

namespace plait::sdk {

struct Color {
  float red, green, blue;
};

// The colour of the same saturation and value, its hue turned by as many sixths of the circle, -6 to 6. In
// any unit. Source: Smith 1978 (hue, saturation and value).
PLAIT_INLINE Color turn_hue(Color from, float sixths) {
  const auto larger = [](float a, float b) { return chosen(a > b, a, b); };
  const auto smaller = [](float a, float b) { return chosen(a < b, a, b); };
  const float value = larger(from.red, larger(from.green, from.blue));
  const float spread = value - smaller(from.red, smaller(from.green, from.blue));
  const float each = 1.0f / chosen(spread > 0, spread, 1.0f);
  const float of_red = (from.green - from.blue) * each, of_green = (from.blue - from.red) * each + 2,
              of_blue = (from.red - from.green) * each + 4;
  // 2 to 14, from where 6 is taken until it lies in 0 .. 6.
  const float hue =
      chosen(value == from.red, of_red, chosen(value == from.green, of_green, of_blue)) + sixths + 6;
  const auto part = [&](float first) {
    float k = hue + first;
    k -= chosen(k >= 18, 18.0f, 0.0f);
    k -= chosen(k >= 12, 12.0f, 0.0f);
    k -= chosen(k >= 6, 6.0f, 0.0f);
    return value - spread * larger(0, smaller(smaller(k, 4 - k), 1));
  };
  return {part(5), part(3), part(1)};
}

}  // namespace plait::sdk
