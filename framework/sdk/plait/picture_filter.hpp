// Weighted means of the values around each value of a picture. Optional; sdk.hpp does not include it.
//
//   uint64_t picture_workspace(size_t height, size_t width, size_t channels) const {
//     return filter_workspace(height, width, channels, 1);
//   }
//   template <class V>
//   void change(Random&, const Picture<V>& picture) const {
//     const float taps[] = {0.25f, 0.5f, 0.25f};
//     filter_both_ways(picture, taps);  // along rows, then along columns
//   }
//
// Beyond the edge lies the picture's reflection, without the edge itself: c b | a b c | b a.
// Threads: [any]
#pragma once
#include <plait/picture.hpp>

#include <span>

namespace plait::sdk {

// Weight of the pixel that is row - radius below and column - radius to the right.
struct Tap {
  size_t row, column;
  float weight;
};

namespace detail {

// Where a reflected place of 0 .. count - 1 lies, from radius before it on.
inline size_t reflected(size_t place, size_t radius, size_t count) {
  if (place >= radius && place - radius < count) return place - radius;
  if (place < radius && radius - place < count) return radius - place;
  if (place >= radius && place - radius < 2 * count - 1) return 2 * (count - 1) - (place - radius);
  if (count == 1) return 0;
  const size_t period = 2 * (count - 1);
  const size_t at = (place + period * (radius / period + 1) - radius) % period;
  return at < count ? at : period - at;
}

// Sums of rows, each with its weight, kSumWidth values at a time: rows and sums have room for whole ones.
constexpr size_t kSumWidth = 32;
constexpr size_t summed(size_t count) { return (count + kSumWidth - 1) / kSumWidth * kSumWidth; }
[[maybe_unused]] PLAIT_FAST static void sum_rows(const float* const* rows, const float* weights, size_t count,
                                                 float* sum, size_t used) {
  typedef float Half __attribute__((vector_size(kSumWidth * sizeof(float) / 2)));
  for (size_t i = 0; i < used; i += kSumWidth) {
    Half low = {}, high = {}, x, y;
    for (size_t k = 0; k < count; ++k) {
      __builtin_memcpy(&x, rows[k] + i, sizeof x);
      __builtin_memcpy(&y, rows[k] + i + kSumWidth / 2, sizeof y);
      low += weights[k] * x;
      high += weights[k] * y;
    }
    __builtin_memcpy(sum + i, &low, sizeof low);
    __builtin_memcpy(sum + i + kSumWidth / 2, &high, sizeof high);
  }
}

[[maybe_unused]] PLAIT_FAST static void weigh(const float* x, float weight, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = weight * x[i];
}
[[maybe_unused]] PLAIT_FAST static void add_weighed(const float* x, float weight, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] += weight * x[i];
}
// A row with its reflections on both sides: `radius` pixels each.
template <class V>
void widen_row(const V* x, size_t width, size_t channels, size_t radius, float* to) {
  from_values(x, to + radius * channels, width * channels);
  for (size_t j = 0; j < radius; ++j) {
    const size_t left = reflected(j, radius, width), right = reflected(radius + width + j, radius, width);
    for (size_t c = 0; c < channels; ++c) {
      to[j * channels + c] = static_cast<float>(x[left * channels + c]);
      to[(radius + width + j) * channels + c] = static_cast<float>(x[right * channels + c]);
    }
  }
}

}  // namespace detail

constexpr size_t kMostTaps = 601;  // along one axis

// Bytes of workspace that the filters below want for radii up to this.
inline uint64_t filter_workspace(size_t height, size_t width, size_t channels, size_t radius) {
  const size_t used = detail::summed(width * channels), wide = used + 2 * radius * channels;
  return (used + wide + std::min(height, 2 * radius + 1) * wide) * sizeof(float);
}

// By the same weights along rows and along columns: an odd number, the middle one for the pixel itself. Row i
// of width * channels values comes from row(i), and store(i, sums) takes it; rows that are asked for lie
// ahead of those that are stored. workspace: of filter_workspace.
template <class Row, class Store>
void filter_rows(size_t height, size_t width, size_t channels, std::span<const float> taps, void* workspace,
                 Row row, Store store) {
  const size_t radius = taps.size() / 2, used = width * channels, room = detail::summed(used);
  const size_t kept = std::min(height, taps.size());
  if (height * width == 0) return;
  auto* const sum = static_cast<float*>(workspace);
  float *const wide = sum + room, *const rows = wide + room + 2 * radius * channels;
  std::array<const float*, kMostTaps> along, across;
  for (size_t k = 0; k < taps.size(); ++k) along[k] = wide + k * channels;
  // Row i, filtered along itself, is kept until no row wants it: at place i modulo `kept`.
  size_t made = 0;
  for (size_t i = 0; i < height; ++i) {
    for (; made < height && made <= i + radius; ++made) {
      detail::widen_row(row(made), width, channels, radius, wide);
      detail::sum_rows(along.data(), taps.data(), taps.size(), rows + made % kept * room, used);
    }
    for (size_t k = 0; k < taps.size(); ++k)
      across[k] = rows + detail::reflected(i + k, radius, height) % kept * room;
    detail::sum_rows(across.data(), taps.data(), taps.size(), sum, used);
    store(i, sum);
  }
}

template <class V>
void filter_both_ways(const Picture<V>& picture, std::span<const float> taps) {
  filter_rows(
      picture.height, picture.width, picture.channels, taps, picture.workspace,
      [&](size_t i) { return picture.x + i * picture.row; },
      [&](size_t i, const float* sum) {
        detail::to_values(sum, picture.y + i * picture.row, picture.width * picture.channels);
      });
}

// Weights of a gaussian up to 3 deviations, whose sum is 1, in `to`; their number.
constexpr size_t gaussian_radius(double deviation) {
  const double reach = 3 * deviation;
  const auto whole = static_cast<size_t>(reach);
  return static_cast<double>(whole) < reach ? whole + 1 : whole;
}
inline std::span<const float> gaussian_taps(double deviation, std::span<float> to) {
  const size_t radius = gaussian_radius(deviation);
  const auto weight = [&](size_t k) {
    const double distance = (static_cast<double>(k) - static_cast<double>(radius)) / deviation;
    return std::exp(-0.5 * distance * distance);
  };
  double sum = 0;
  for (size_t k = 0; k <= 2 * radius; ++k) sum += weight(k);
  for (size_t k = 0; k <= 2 * radius; ++k) to[k] = static_cast<float>(weight(k) / sum);
  return to.first(2 * radius + 1);
}

// By weights at any places of a square of 2 radius + 1.
template <class V>
void filter_by(const Picture<V>& picture, size_t radius, std::span<const Tap> taps) {
  const size_t used = picture.width * picture.channels,
               wide = (picture.width + 2 * radius) * picture.channels;
  const size_t kept = std::min(picture.height, 2 * radius + 1);
  if (picture.pixels() == 0) return;
  auto* const sum = static_cast<float*>(picture.workspace);
  float* const rows = sum + used;
  size_t made = 0;
  for (size_t i = 0; i < picture.height; ++i) {
    for (; made < picture.height && made <= i + radius; ++made)
      detail::widen_row(picture.x + made * picture.row, picture.width, picture.channels, radius,
                        rows + made % kept * wide);
    std::fill_n(sum, used, 0.0f);
    for (const Tap& tap : taps)
      detail::add_weighed(rows + detail::reflected(i + tap.row, radius, picture.height) % kept * wide +
                              tap.column * picture.channels,
                          tap.weight, sum, used);
    detail::to_values(sum, picture.y + i * picture.row, used);
  }
}

}  // namespace plait::sdk
