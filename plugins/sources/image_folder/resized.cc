#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

#include "picture.h"

namespace plait::image_folder {
namespace {

constexpr int32_t kOne = 1 << 14;

// What one output pixel takes of the pixels from `begin` on; sums to kOne.
struct Taps {
  int64_t begin;
  std::vector<int32_t> weights;
};

// Along one axis: `count` outputs of [begin, begin + length) among `limit` pixels.
std::vector<Taps> taps_of(int64_t count, double begin, double length, int64_t limit) {
  std::vector<Taps> all;
  const double scale = length / static_cast<double>(count), reach = std::max(scale, 1.0);
  for (int64_t i = 0; i < count; ++i) {
    const double centre = begin + (static_cast<double>(i) + 0.5) * scale;
    const auto low = std::clamp(static_cast<int64_t>(std::floor(centre - reach)), int64_t{0}, limit - 1);
    const auto high = std::clamp(static_cast<int64_t>(std::ceil(centre + reach)), low + 1, limit);
    std::vector<double> near;
    double sum = 0;
    for (int64_t k = low; k < high; ++k) {
      near.push_back(std::max(0.0, 1 - std::abs((static_cast<double>(k) + 0.5 - centre) / reach)));
      sum += near.back();
    }
    Taps taps{low, {}};
    int32_t rest = kOne;
    for (const double one : near) {
      taps.weights.push_back(static_cast<int32_t>(std::lround(one / sum * kOne)));
      rest -= taps.weights.back();
    }
    *std::ranges::max_element(taps.weights) += rest;  // what rounding has left
    all.push_back(std::move(taps));
  }
  return all;
}

// `stride`: distance of the pixels along the axis.
uint8_t weighed(const uint8_t* from, size_t stride, const Taps& taps) {
  int32_t sum = kOne / 2;
  for (size_t k = 0; k < taps.weights.size(); ++k) sum += taps.weights[k] * from[k * stride];
  return static_cast<uint8_t>(std::clamp(sum / kOne, 0, 255));
}

}  // namespace

Region whole_of(const Picture& picture) {
  return {0, 0, static_cast<double>(picture.height), static_cast<double>(picture.width)};
}

Region middle_of(const Picture& picture, int64_t height, int64_t width) {
  Region region = whole_of(picture);
  const double scale =
      std::min(region.height / static_cast<double>(height), region.width / static_cast<double>(width));
  const double tall = static_cast<double>(height) * scale, wide = static_cast<double>(width) * scale;
  return {(region.height - tall) / 2, (region.width - wide) / 2, tall, wide};
}

// First along rows, then along columns, with the numbers in between rounded to bytes.
Picture resized(const Picture& picture, const Region& region, int64_t height, int64_t width) {
  const auto across = taps_of(width, region.left, region.width, picture.width);
  const auto down = taps_of(height, region.top, region.height, picture.height);
  const auto channels = static_cast<size_t>(picture.channels);
  const size_t row_bytes = static_cast<size_t>(width) * channels;
  const int64_t first = down.front().begin;
  const int64_t last = down.back().begin + static_cast<int64_t>(down.back().weights.size());
  std::vector<uint8_t> rows;
  rows.reserve(static_cast<size_t>(last - first) * row_bytes);
  for (int64_t y = first; y < last; ++y) {
    const uint8_t* const row = picture.pixels.data() + static_cast<size_t>(y * picture.width) * channels;
    for (const Taps& taps : across)
      for (size_t c = 0; c < channels; ++c)
        rows.push_back(weighed(row + static_cast<size_t>(taps.begin) * channels + c, channels, taps));
  }
  Picture made{height, width, picture.channels, {}};
  made.pixels.reserve(static_cast<size_t>(height) * row_bytes);
  for (const Taps& taps : down) {
    const uint8_t* const from = rows.data() + static_cast<size_t>(taps.begin - first) * row_bytes;
    for (size_t i = 0; i < row_bytes; ++i) made.pixels.push_back(weighed(from + i, row_bytes, taps));
  }
  return made;
}

}  // namespace plait::image_folder
