// Pixels of a picture at places between its own, bilinear: what moves, turns or bends pictures is left to say
// which places. Optional; sdk.hpp does not include it.
//
//   const Resampler<V> from(picture, fill);
//   for (size_t i = 0; i < picture.height; ++i)
//     from.row(y, x, picture.width, picture.y + i * picture.row);  // y[j], x[j]: where pixel i, j comes from
//
// Outside of the picture lies fill, in the picture's own unit. Threads: [any]
#pragma once
#include <plait/picture.hpp>

namespace plait::sdk {

namespace detail {

constexpr size_t kPlaces = 64;  // at a time

struct Places {
  int32_t index[kPlaces];  // of the pixel above and to the left; 0 where one of the four lies outside
  float down[kPlaces], right[kPlaces];
  uint32_t inside[kPlaces];
};

[[maybe_unused]] PLAIT_FAST static uint32_t find_places(const float* y, const float* x, size_t count,
                                                        float height, float width, int32_t row,
                                                        int32_t channels, Places* places) {
  uint32_t all = 1;
  for (size_t i = 0; i < count; ++i) {
    const bool inside = (y[i] >= 0) & (x[i] >= 0) & (y[i] < height - 1) & (x[i] < width - 1);
    const float v = chosen(inside, y[i], 0.0f), u = chosen(inside, x[i], 0.0f);
    const auto top = static_cast<int32_t>(v), left = static_cast<int32_t>(u);
    places->index[i] = top * row + left * channels;
    places->down[i] = v - static_cast<float>(top);
    places->right[i] = u - static_cast<float>(left);
    places->inside[i] = inside;
    all &= static_cast<uint32_t>(inside);
  }
  return all;
}

// The four pixels around each place, of one channel.
template <class V>
struct Around {
  V above_left[kPlaces], above_right[kPlaces], below_left[kPlaces], below_right[kPlaces];
};
template <class V>
PLAIT_INLINE void mix_all(const Around<V>& of, const Places& places, size_t count, V* to) {
  for (size_t i = 0; i < count; ++i) {
    const auto a = static_cast<float>(of.above_left[i]), b = static_cast<float>(of.above_right[i]),
               c = static_cast<float>(of.below_left[i]), d = static_cast<float>(of.below_right[i]);
    const float above = a + places.right[i] * (b - a), below = c + places.right[i] * (d - c);
    to[i] = as_value<V>(above + places.down[i] * (below - above));
  }
}
[[maybe_unused]] PLAIT_FAST static void mix(const Around<uint8_t>* of, const Places* places, size_t count,
                                            uint8_t* to) {
  mix_all(*of, *places, count, to);
}
[[maybe_unused]] PLAIT_FAST static void mix(const Around<float>* of, const Places* places, size_t count,
                                            float* to) {
  mix_all(*of, *places, count, to);
}

}  // namespace detail

template <class V>
class Resampler {
 public:
  Resampler(const Picture<V>& picture, float fill) : of_(picture), fill_(fill) {}

  // `count` pixels to `to`, one behind the other.
  void row(const float* y, const float* x, size_t count, V* to) const {
    // Indices are of 32 bits.
    const bool is_small = of_.height * of_.row < size_t{1} << 31;
    if (of_.height < 2 || of_.width < 2 || !is_small) {
      for (size_t i = 0; i < count; ++i) take(y[i], x[i], to + i * of_.channels);
      return;
    }
    for (size_t at = 0; at < count; at += detail::kPlaces)
      some(y + at, x + at, std::min(detail::kPlaces, count - at), to + at * of_.channels);
  }

 private:
  void some(const float* y, const float* x, size_t count, V* to) const {
    detail::Places places;
    const auto height = static_cast<float>(of_.height), width = static_cast<float>(of_.width);
    const uint32_t all = detail::find_places(y, x, count, height, width, static_cast<int32_t>(of_.row),
                                             static_cast<int32_t>(of_.channels), &places);
    detail::Around<V> around;
    V made[detail::kPlaces];
    for (size_t c = 0; c < of_.channels; ++c) {
      for (size_t i = 0; i < count; ++i) {
        const V* const from = of_.x + places.index[i] + c;
        around.above_left[i] = from[0], around.above_right[i] = from[of_.channels];
        around.below_left[i] = from[of_.row], around.below_right[i] = from[of_.row + of_.channels];
      }
      detail::mix(&around, &places, count, made);
      for (size_t i = 0; i < count; ++i) to[i * of_.channels + c] = made[i];
    }
    for (size_t i = 0; i < count && all == 0; ++i)
      if (places.inside[i] == 0) take(y[i], x[i], to + i * of_.channels);
  }

  float at(int64_t row, int64_t column, size_t channel) const {
    const bool inside = row >= 0 && column >= 0 && row < static_cast<int64_t>(of_.height) &&
                        column < static_cast<int64_t>(of_.width);
    if (!inside) return fill_;
    return static_cast<float>(
        of_.x[static_cast<size_t>(row) * of_.row + static_cast<size_t>(column) * of_.channels + channel]);
  }
  // Anywhere.
  void take(float y, float x, V* to) const {
    const float top = std::floor(y), left = std::floor(x), down = y - top, right = x - left;
    // Beyond one pixel outside there is nothing but fill; this also keeps the conversion in range.
    if (!(top >= -1 && left >= -1 && top < static_cast<float>(of_.height) &&
          left < static_cast<float>(of_.width))) {
      std::fill_n(to, of_.channels, as_value<V>(fill_));
      return;
    }
    const auto row = static_cast<int64_t>(top), column = static_cast<int64_t>(left);
    for (size_t c = 0; c < of_.channels; ++c) {
      const float a = at(row, column, c), b = at(row, column + 1, c), d = at(row + 1, column, c),
                  e = at(row + 1, column + 1, c);
      const float above = a + right * (b - a), below = d + right * (e - d);
      to[c] = as_value<V>(above + down * (below - above));
    }
  }

  const Picture<V>& of_;
  float fill_;
};

}  // namespace plait::sdk
