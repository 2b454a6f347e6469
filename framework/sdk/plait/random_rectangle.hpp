// Rectangles of random size, shape and place within a picture. Optional; sdk.hpp does not include it.
//
// Source: Szegedy et al. 2015, section 6; Zhong et al. 2017, algorithm 1. Threads: [any]
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "sdk/random.hpp"

namespace plait::sdk {

// Rows top .. top + height, columns likewise.
struct Rectangle {
  size_t top, left, height, width;
};

// Shares of the picture's area, evenly drawn, and widths over heights, of which each doubling is as likely.
struct RectangleBounds {
  double area_low, area_high, ratio_low, ratio_high;
};

// Any place inside is as likely. `leaves`: pixels of each edge of the picture that have to be left. Nothing:
// ten draws were too large, or had no pixel.
inline std::optional<Rectangle> draw_rectangle(Random& random, const RectangleBounds& bounds, size_t height,
                                               size_t width, size_t leaves) {
  constexpr int kTries = 10;
  const auto high = static_cast<double>(height), wide = static_cast<double>(width);
  const auto place = [&](double room) {
    return static_cast<size_t>(random.integer(0, static_cast<int64_t>(room)));
  };
  for (int i = 0; i < kTries; ++i) {
    const double area = high * wide * random.uniform(bounds.area_low, bounds.area_high);
    const double ratio = std::exp(random.uniform(std::log(bounds.ratio_low), std::log(bounds.ratio_high)));
    const double w = std::round(std::sqrt(area * ratio)), h = std::round(std::sqrt(area / ratio));
    const auto left_over = static_cast<double>(leaves);
    if (w < 1 || h < 1 || w > wide - left_over || h > high - left_over) continue;
    const size_t top = place(high - h), left = place(wide - w);
    return Rectangle{top, left, static_cast<size_t>(h), static_cast<size_t>(w)};
  }
  return std::nullopt;
}

}  // namespace plait::sdk
