// Pictures, or rectangles of them, made larger or smaller: each new pixel is a weighted mean of those around
// the place that it stands for. Optional; sdk.hpp does not include it.
//
//   struct Half : ScaledAugmenter<Half> {
//     static void describe(Describe<Half>& d) {
//       d.doc("the left half of a picture, scaled");
//       fields(d);  // part, size, filter, antialias
//     }
//     Rectangle region(Random&, size_t height, size_t width) const { return {0, 0, height, (width + 1) / 2};
//     }
//   };
//   PLAIT_PLUGIN("acme.half", "1.0.0", "Apache-2.0", augmenter<Half>("acme.half"));
//
// Threads: [any]
#pragma once
#include <plait/picture.hpp>
#include <plait/random_rectangle.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace plait::sdk {

// nearest: the pixel that the place lies in. bilinear: a triangle of two pixels on either side. bicubic:
// Keys's cubic with a = -1/2, over four. area: what of each pixel lies in the region that the new one stands
// for.
enum class ScaleFilter { nearest, bilinear, bicubic, area };

namespace detail {

// Source: Keys 1981, equation 15 with a = -1/2.
inline double cubic(double x) {
  x = std::abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

// Along one axis: pixel i of the new picture is the sum of weights[i * taps + k] times pixel first[i] + k.
struct ScaledAxis {
  size_t taps;
  int32_t* first;
  float* weights;

  static double reach_of(ScaleFilter filter) { return filter == ScaleFilter::bicubic ? 2 : 1; }
  // As many as `from` pixels that become `to` want at most.
  static size_t most_taps(ScaleFilter filter, bool antialias, size_t from, size_t to) {
    if (filter == ScaleFilter::nearest) return 1;
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const bool is_fixed = !antialias && filter != ScaleFilter::area;
    const double reach = reach_of(filter) * (is_fixed ? 1 : std::max(1.0, scale));
    return std::min(from, static_cast<size_t>(std::ceil(2 * reach)) + 2);
  }
  static size_t words(size_t taps, size_t to) { return to * (taps + 1); }

  void fill(ScaleFilter filter, bool antialias, size_t from, size_t to) {
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const double stretch = antialias ? std::max(1.0, scale) : 1, reach = reach_of(filter) * stretch;
    for (size_t i = 0; i < to; ++i) {
      const double begin = static_cast<double>(i) * scale, centre = begin + 0.5 * scale;
      float* const of = weights + i * taps;
      if (filter == ScaleFilter::nearest) {
        first[i] = place(std::floor(centre), from);
        of[0] = 1;
        continue;
      }
      const bool is_area = filter == ScaleFilter::area;
      const double low = is_area ? begin : centre - reach, high = is_area ? begin + scale : centre + reach;
      const auto taken = static_cast<int32_t>(taps);
      // So that all taps lie inside.
      first[i] = std::min(place(std::floor(low), from), static_cast<int32_t>(from) - taken);
      double sum = 0;
      for (size_t k = 0; k < taps; ++k) {
        const double pixel = static_cast<double>(first[i]) + static_cast<double>(k);
        const double x = (pixel + 0.5 - centre) / stretch;
        double weight = 0;
        if (is_area)
          weight = std::max(0.0, std::min(high, pixel + 1) - std::max(low, pixel));
        else
          weight = filter == ScaleFilter::bicubic ? cubic(x) : std::max(0.0, 1 - std::abs(x));
        of[k] = static_cast<float>(weight);
        sum += weight;
      }
      for (size_t k = 0; k < taps; ++k) of[k] = static_cast<float>(static_cast<double>(of[k]) / sum);
    }
  }

 private:
  static int32_t place(double at, size_t count) {
    return static_cast<int32_t>(std::clamp(at, 0.0, static_cast<double>(count - 1)));
  }
};

[[maybe_unused]] PLAIT_FAST static void add_scaled(const uint8_t* x, float weight, size_t count, float* y) {
  for (size_t i = 0; i < count; ++i) y[i] += weight * static_cast<float>(x[i]);
}
[[maybe_unused]] PLAIT_FAST static void add_scaled(const float* x, float weight, size_t count, float* y) {
  for (size_t i = 0; i < count; ++i) y[i] += weight * x[i];
}
// Rows that are scaled side by side: a vector has a number of each.
constexpr size_t kScaledRows = 8;
typedef float ScaledVector
    __attribute__((vector_size(kScaledRows * sizeof(float)), aligned(sizeof(float)), may_alias));

// rows [8, count] -> [count, 8], and back.
[[maybe_unused]] PLAIT_FAST static void lay_side_by_side(const float* rows, size_t count, float* to) {
  for (size_t i = 0; i < count; ++i)
    for (size_t r = 0; r < kScaledRows; ++r) to[i * kScaledRows + r] = rows[r * count + i];
}
[[maybe_unused]] PLAIT_FAST static void take_row(const float* side_by_side, size_t count, float* row) {
  for (size_t i = 0; i < count; ++i) row[i] = side_by_side[i * kScaledRows];
}
// New pixels of `channels` from those of rows that lie side by side.
[[maybe_unused]] PLAIT_FAST static void mix_columns(const float* rows, const int32_t* first,
                                                    const float* weights, size_t taps, size_t count,
                                                    size_t channels, float* to) {
  for (size_t i = 0; i < count; ++i) {
    const float* const pixel = rows + static_cast<size_t>(first[i]) * channels * kScaledRows;
    for (size_t c = 0; c < channels; ++c) {
      const float* from = pixel + c * kScaledRows;
      ScaledVector sum = {};
      for (size_t k = 0; k < taps; ++k, from += channels * kScaledRows)
        sum += weights[i * taps + k] * *reinterpret_cast<const ScaledVector*>(from);
      *reinterpret_cast<ScaledVector*>(to + (i * channels + c) * kScaledRows) = sum;
    }
  }
}

}  // namespace detail

// How large the memory for one picture is, and the scaling itself.
struct ScaledPicture {
  ScaleFilter filter = ScaleFilter::bilinear;
  bool antialias = true;
  size_t to_height = 1, to_width = 1;

  // Bytes for pictures, or rectangles of pictures, of at most this size.
  uint64_t workspace_bytes(size_t height, size_t width, size_t channels) const {
    const size_t down = detail::ScaledAxis::most_taps(filter, antialias, height, to_height);
    const size_t across = detail::ScaledAxis::most_taps(filter, antialias, width, to_width);
    return sizeof(float) *
           (detail::ScaledAxis::words(down, to_height) + detail::ScaledAxis::words(across, to_width) +
            (2 * detail::kScaledRows * width + (detail::kScaledRows + 1) * to_width) * channels);
  }

  // x: the rectangle's first pixel; rows are `row` values apart. y: [to_height, to_width, channels].
  template <class V>
  void scale(const V* x, size_t row, size_t height, size_t width, size_t channels, void* workspace,
             V* y) const {
    auto* words = static_cast<float*>(workspace);
    const detail::ScaledAxis down = axis(height, to_height, words), across = axis(width, to_width, words);
    constexpr size_t kRows = detail::kScaledRows;
    const size_t count = width * channels, made_count = to_width * channels;
    float* const means = words;  // [8, count]
    float* const side_by_side = means + kRows * count;
    float* const made = side_by_side + kRows * count;  // [made_count, 8]
    float* const made_row = made + kRows * made_count;
    for (size_t i = 0; i < to_height; i += kRows) {
      const size_t some = std::min(kRows, to_height - i);
      std::fill_n(means, kRows * count, 0.0f);
      for (size_t r = 0; r < some; ++r)
        for (size_t k = 0; k < down.taps; ++k)
          if (const float weight = down.weights[(i + r) * down.taps + k]; weight != 0)
            detail::add_scaled(x + (static_cast<size_t>(down.first[i + r]) + k) * row, weight, count,
                               means + r * count);
      detail::lay_side_by_side(means, count, side_by_side);
      detail::mix_columns(side_by_side, across.first, across.weights, across.taps, to_width, channels, made);
      for (size_t r = 0; r < some; ++r) {
        detail::take_row(made + r, made_count, made_row);
        detail::to_values(made_row, y + (i + r) * made_count, made_count);
      }
    }
  }

 private:
  detail::ScaledAxis axis(size_t from, size_t to, float*& words) const {
    detail::ScaledAxis made{detail::ScaledAxis::most_taps(filter, antialias, from, to), nullptr, words};
    made.first = reinterpret_cast<int32_t*>(words + to * made.taps);
    words += detail::ScaledAxis::words(made.taps, to);
    made.fill(filter, antialias, from, to);
    return made;
  }
};

// An augmenter that scales what Self says: Rectangle region(Random&, size_t height, size_t width) const, at
// least one pixel, inside.
template <class Self>
struct ScaledAugmenter {
  static constexpr bool two_axes = true;
  std::string part = "image";
  std::vector<int64_t> size = {224};
  ScaleFilter filter = ScaleFilter::bilinear;
  bool antialias = true;

  static void fields(Describe<Self>& d) {
    d.field("part", static_cast<std::string Self::*>(&Self::part)).doc("part of the sample");
    d.field("size", static_cast<std::vector<int64_t> Self::*>(&Self::size))
        .doc("height and width, or one number for both")
        .range(1, 16384)
        .unit("px");
    d.field("filter", static_cast<ScaleFilter Self::*>(&Self::filter))
        .doc("how pixels are weighted")
        .choices({"nearest", "bilinear", "bicubic", "area"});
    d.field("antialias", static_cast<bool Self::*>(&Self::antialias))
        .doc("where a picture shrinks the filter grows with it, so that no pixel is left out");
  }
  void validate() const {
    if (size.empty() || size.size() > 2) throw Error("size has ", size.size(), " numbers, wanted one or two");
  }
  void infer(Parts& parts) const {
    PartSpec& image = parts.part(part);
    const bool fits = image.shape.size() == 3 && (image.dtype == DType::u8 || image.dtype == DType::f32);
    const bool channels_vary = image.variable_axis == 2 || image.second_axis == 2;
    if (!fits || channels_vary) {
      const plait_tensor_spec raw = image.c();
      throw Error("part \"", part, "\" is ", Spec(&raw), channels_vary ? ", whose channels vary" : "",
                  ", wanted [H, W, C] of u8 or f32");
    }
    const double elements = static_cast<double>(size.front()) * static_cast<double>(size.back()) *
                            static_cast<double>(image.shape[2]);
    if (elements > kMostElements)
      throw Error("size makes a picture of ", elements, " elements, wanted at most ", kMostElements);
    image.shape[0] = size.front();
    image.shape[1] = size.back();
    image.variable_axis = image.second_axis = -1;
  }
  void open(Context&, const Parts& parts) {
    const std::vector<int64_t>& shape = parts.part(part).shape;
    bytes_ = scaled().workspace_bytes(static_cast<size_t>(shape[0]), static_cast<size_t>(shape[1]),
                                      static_cast<size_t>(shape[2]));
  }
  uint64_t workspace_bytes(Context&, int64_t batch) const { return batch == 0 ? bytes_ : 0; }

  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part(part);
    if (in.dtype() == DType::u8)
      scale_as<uint8_t>(call, in, out);
    else
      scale_as<float>(call, in, out);
  }

 private:
  static constexpr double kMostElements = 1 << 26;
  ScaledPicture scaled() const {
    return {filter, antialias, static_cast<size_t>(size.front()), static_cast<size_t>(size.back())};
  }
  template <class V>
  void scale_as(SampleCall& call, const Tensor& in, const Tensor& out) const {
    const auto height = static_cast<size_t>(call.extent(part, 0)),
               width = static_cast<size_t>(call.extent(part, 1));
    if (height == 0 || width == 0) throw Error("part \"", part, "\" has no pixel, which cannot be scaled");
    const auto channels = static_cast<size_t>(in.shape(2)), row = static_cast<size_t>(in.shape(1)) * channels;
    const Rectangle of = static_cast<const Self&>(*this).region(call.random(), height, width);
    scaled().scale(in.data<V>().data() + of.top * row + of.left * channels, row, of.height, of.width,
                   channels, call.workspace(), out.data<V>().data());
  }

  uint64_t bytes_ = 0;
};

}  // namespace plait::sdk
