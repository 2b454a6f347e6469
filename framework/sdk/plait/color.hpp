// Colours of a pixel, without branches: loops that call these in a function marked PLAIT_FAST (sdk/fast.hpp)
// are vectorised. Optional; sdk.hpp does not include it. Threads: [any]
#pragma once
#include "functions.hpp"

namespace plait::sdk {

struct Color {
  float red, green, blue;
};

namespace detail {

PLAIT_INLINE float larger(float a, float b) { return chosen(a > b, a, b); }
PLAIT_INLINE float smaller(float a, float b) { return chosen(a < b, a, b); }

// One channel of a colour whose hue lies so far from where that channel has its least.
PLAIT_INLINE float channel_at(float hue, float value, float spread) {
  float k = hue;
  k -= chosen(k >= 18.0f, 18.0f, 0.0f);
  k -= chosen(k >= 12.0f, 12.0f, 0.0f);
  k -= chosen(k >= 6.0f, 6.0f, 0.0f);
  return value - spread * larger(0.0f, smaller(smaller(k, 4.0f - k), 1.0f));
}

}  // namespace detail

// The colour of the same saturation and value, its hue turned by as many sixths of the circle, -3 to 3. In
// any unit. Source: Smith 1978 (hue, saturation and value).
PLAIT_INLINE Color turn_hue(Color from, float sixths) {
  // 0, but where one of them is no number: then none comes out.
  const float none = 0.0f * (from.red + from.green + from.blue);
  const float value = none + detail::larger(from.red, detail::larger(from.green, from.blue));
  const float spread = value - detail::smaller(from.red, detail::smaller(from.green, from.blue));
  const float each = 1.0f / chosen(spread > 0, spread, 1.0f);
  const float of_red = (from.green - from.blue) * each, of_green = (from.blue - from.red) * each + 2.0f,
              of_blue = (from.red - from.green) * each + 4.0f;
  // 2 to 14, from where 6 is taken until it lies in 0 .. 6.
  const float hue =
      chosen(value == from.red, of_red, chosen(value == from.green, of_green, of_blue)) + sixths + 6.0f;
  return {detail::channel_at(hue + 5.0f, value, spread), detail::channel_at(hue + 3.0f, value, spread),
          detail::channel_at(hue + 1.0f, value, spread)};
}

// Rows of colours, changed where they lie.
[[maybe_unused]] PLAIT_FAST static void turn_hues(float* red, float* green, float* blue, size_t count,
                                                  float sixths) {
  for (size_t i = 0; i < count; ++i) {
    const Color made = turn_hue({red[i], green[i], blue[i]}, sixths);
    red[i] = made.red, green[i] = made.green, blue[i] = made.blue;
  }
}

}  // namespace plait::sdk
