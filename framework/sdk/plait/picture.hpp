// Augmenters that change the values of a picture and leave its size: what is left to write is what becomes of
// the values. Optional; sdk.hpp does not include it.
//
//   struct Darken : PictureAugmenter<Darken> {
//     double most = 0.5;
//     static void describe(Describe<Darken>& d) {
//       d.doc("takes light away");
//       fields(d);  // part and p
//       d.field("most", &Darken::most).doc("largest share that is taken").range(0, 1);
//     }
//     template <class V>
//     void change(Random& random, const Picture<V>& picture) const {
//       picture.line(static_cast<float>(1 - random.uniform(0, most)), 0);
//     }
//   };
//   PLAIT_PLUGIN("acme.darken", "1.0.0", "Apache-2.0", augmenter<Darken>("acme.darken"));
//
// Shapes: a part [H, W, C] of u8, where black is 0 and white is 255, or of f32, where they are 0 and 1; H and
// W may vary. What is made lies between black and white; bytes are rounded to the nearest.
// Optional members:
//   static constexpr bool colored = true;  // wants C = 3: red, green, blue
//   uint64_t picture_workspace(size_t height, size_t width, size_t channels) const;
//       // bytes of picture.workspace for the largest picture, 64-byte aligned
// Threads: [any]
#pragma once
#include <plait/functions.hpp>
#include <plait/picture_bytes.hpp>
#include <plait/sdk.hpp>
#include <plait/sdk/fast.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>

namespace plait::sdk {

// 0.299 red + 0.587 green + 0.114 blue: brightness as eyes have it, and of grey exactly itself. In this form
// there is one way to contract products and sums, so that vectors and what is left over have the same bits.
// Source: ITU-R BT.601.
PLAIT_INLINE float grey_of(float red, float green, float blue) {
  return blue + 0.299f * (red - blue) + 0.587f * (green - blue);
}

// A number as a picture of V has it, at most white, at least black. Of f32 what is no number stays so: a
// network tells of it, which a black pixel would hide.
template <class V>
constexpr float kWhite = std::is_same_v<V, uint8_t> ? 255.0f : 1.0f;
template <class V>
PLAIT_INLINE V as_value(float x) {
  if constexpr (std::is_same_v<V, uint8_t>) {
    const float above = x > 0 ? x : 0.0f;
    const float between = above < kWhite<V> ? above : kWhite<V>;
    return static_cast<uint8_t>(static_cast<int32_t>(between + 0.5f));
  } else {
    const float above = x < 0 ? 0.0f : x;
    return kWhite<V> < above ? kWhite<V> : above;
  }
}

namespace detail {

// The same loops for both kinds of values; plain functions, as PLAIT_FAST wants them.
[[maybe_unused]] PLAIT_FAST static void line_of(const uint8_t* x, uint8_t* y, size_t count, float factor,
                                                float offset) {
  for (size_t i = 0; i < count; ++i) y[i] = as_value<uint8_t>(static_cast<float>(x[i]) * factor + offset);
}
[[maybe_unused]] PLAIT_FAST static void line_of(const float* x, float* y, size_t count, float factor,
                                                float offset) {
  for (size_t i = 0; i < count; ++i) y[i] = as_value<float>(x[i] * factor + offset);
}

// Lane k adds up value k of each pixel of 3 channels, of 16 pixels at a time: so that loops become vectors
// and the order of adding is the same everywhere.
constexpr size_t kSumLanes = 48;
[[maybe_unused]] PLAIT_FAST static void add_lanes(const float* x, size_t count, double* lanes) {
  size_t i = 0;
  for (; i + kSumLanes <= count; i += kSumLanes)
    for (size_t lane = 0; lane < kSumLanes; ++lane) lanes[lane] += static_cast<double>(x[i + lane]);
  for (size_t lane = 0; i + lane < count; ++lane) lanes[lane] += static_cast<double>(x[i + lane]);
}
[[maybe_unused]] PLAIT_FAST static void add_lanes(const uint8_t* x, size_t count, double* lanes) {
  constexpr size_t kRows = size_t{1} << 20;  // whose sum 32 bits hold
  size_t i = 0;
  while (i + kSumLanes <= count) {
    uint32_t sums[kSumLanes] = {};
    for (size_t row = 0; row < kRows && i + kSumLanes <= count; ++row, i += kSumLanes)
      for (size_t lane = 0; lane < kSumLanes; ++lane) sums[lane] += x[i + lane];
    for (size_t lane = 0; lane < kSumLanes; ++lane) lanes[lane] += sums[lane];
  }
  for (size_t lane = 0; i + lane < count; ++lane) lanes[lane] += x[i + lane];
}

[[maybe_unused]] PLAIT_FAST static void split_floats(const float* x, size_t pixels, float* red, float* green,
                                                     float* blue) {
  for (size_t i = 0; i < pixels; ++i) red[i] = x[3 * i], green[i] = x[3 * i + 1], blue[i] = x[3 * i + 2];
}
[[maybe_unused]] PLAIT_FAST static void join_floats(const float* red, const float* green, const float* blue,
                                                    size_t pixels, float* y) {
  for (size_t i = 0; i < pixels; ++i) {
    y[3 * i] = as_value<float>(red[i]);
    y[3 * i + 1] = as_value<float>(green[i]);
    y[3 * i + 2] = as_value<float>(blue[i]);
  }
}
// Values as numbers in the picture's own unit, and back.
[[maybe_unused]] PLAIT_FAST static void from_values(const uint8_t* x, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = static_cast<float>(x[i]);
}
[[maybe_unused]] PLAIT_FAST static void from_values(const float* x, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = x[i];
}
[[maybe_unused]] PLAIT_FAST static void to_values(const float* x, uint8_t* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = as_value<uint8_t>(x[i]);
}
[[maybe_unused]] PLAIT_FAST static void to_values(const float* x, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = as_value<float>(x[i]);
}

}  // namespace detail

// Pixels of three channels as three rows of numbers, and back.
inline void load_colors(const uint8_t* x, size_t pixels, float* red, float* green, float* blue) {
  constexpr size_t kAtOnce = 512;
  uint8_t rows[3][kAtOnce];
  for (size_t at = 0; at < pixels; at += kAtOnce) {
    const size_t some = std::min(kAtOnce, pixels - at);
    split_colors(x + 3 * at, some, rows[0], rows[1], rows[2]);
    detail::from_values(rows[0], red + at, some);
    detail::from_values(rows[1], green + at, some);
    detail::from_values(rows[2], blue + at, some);
  }
}
inline void load_colors(const float* x, size_t pixels, float* red, float* green, float* blue) {
  detail::split_floats(x, pixels, red, green, blue);
}
inline void store_colors(const float* red, const float* green, const float* blue, size_t pixels, float* y) {
  detail::join_floats(red, green, blue, pixels, y);
}
inline void store_colors(const float* red, const float* green, const float* blue, size_t pixels, uint8_t* y) {
  constexpr size_t kAtOnce = 512;
  uint8_t rows[3][kAtOnce];
  for (size_t at = 0; at < pixels; at += kAtOnce) {
    const size_t some = std::min(kAtOnce, pixels - at);
    detail::to_values(red + at, rows[0], some);
    detail::to_values(green + at, rows[1], some);
    detail::to_values(blue + at, rows[2], some);
    join_colors(rows[0], rows[1], rows[2], some, y + 3 * at);
  }
}

// The valid part of a picture: row i begins at x + i * row, and has width * channels values.
template <class V>
struct Picture {
  const V* x;
  V* y;
  size_t height, width, channels, row;
  void* workspace;

  size_t pixels() const { return height * width; }

  // f(x, y, count) for stretches of whole pixels that lie one behind the other.
  template <class F>
  void each_run(F f) const {
    const size_t used = width * channels;
    if (used == row) return f(x, y, height * used);
    for (size_t i = 0; i < height; ++i) f(x + i * row, y + i * row, used);
  }
  // f(x, y) for each value of a channel, row by row.
  template <class F>
  void each_of(size_t channel, F f) const {
    for (size_t i = 0; i < height; ++i)
      for (size_t j = channel; j < width * channels; j += channels) f(x[i * row + j], y[i * row + j]);
  }
  void copy() const {
    each_run([](const V* from, V* to, size_t count) { std::copy_n(from, count, to); });
  }
  // factor * value + offset, where white is kWhite.
  void line(float factor, float offset) const {
    each_run([&](const V* from, V* to, size_t count) { detail::line_of(from, to, count, factor, offset); });
  }
  // f of each value, where black is 0 and white is 1: for bytes worked out once for each of the 256.
  template <class F>
  void curve(F f) const {
    if constexpr (std::is_same_v<V, uint8_t>) {
      ByteTable table;
      for (size_t i = 0; i < 256; ++i) table[i] = as_value<uint8_t>(f(static_cast<float>(i) / 255) * 255);
      look_up(table);
    } else {
      each_run([&](const V* from, V* to, size_t count) {
        for (size_t i = 0; i < count; ++i) to[i] = as_value<float>(f(from[i]));
      });
    }
  }
  void look_up(const ByteTable& table) const requires std::is_same_v<V, uint8_t> {
    each_run([&](const uint8_t* from, uint8_t* to, size_t count) {
      for (size_t i = 0; i < count; ++i) to[i] = table[from[i]];
    });
  }
  // Mean brightness: of three channels as eyes have it, else of all values; 0 for no pixels.
  double mean() const {
    double lanes[detail::kSumLanes] = {}, sums[3] = {};
    each_run([&](const V* from, V*, size_t count) { detail::add_lanes(from, count, lanes); });
    for (size_t i = 0; i < detail::kSumLanes; ++i) sums[i % 3] += lanes[i];
    if (pixels() == 0) return 0;
    if (channels == 3)
      return (0.299 * sums[0] + 0.587 * sums[1] + 0.114 * sums[2]) / static_cast<double>(pixels());
    return (sums[0] + sums[1] + sums[2]) / static_cast<double>(pixels() * channels);
  }
  // Of three channels: change(red, green, blue, count) of rows of as many numbers at a time, which it changes
  // where they lie; white is kWhite.
  template <class F>
  void each_colors(F change) const {
    constexpr size_t kAtOnce = 512;
    alignas(64) float red[kAtOnce], green[kAtOnce], blue[kAtOnce];
    each_run([&](const V* from, V* to, size_t count) {
      for (size_t at = 0; at < count / 3; at += kAtOnce) {
        const size_t some = std::min(kAtOnce, count / 3 - at);
        load_colors(from + 3 * at, some, red, green, blue);
        change(red, green, blue, some);
        store_colors(red, green, blue, some, to + 3 * at);
      }
    });
  }
};

template <class Self>
struct PictureAugmenter {
  static constexpr bool two_axes = true;
  static constexpr bool colored = false;
  std::string part = "image";
  double p = 1;

  static void fields(Describe<Self>& d) {
    d.field("part", static_cast<std::string Self::*>(&Self::part)).doc("part of the sample");
    d.field("p", static_cast<double Self::*>(&Self::p)).doc("chance that a sample is changed").range(0, 1);
  }
  static void examples(Examples& e) {
    e.add().input(DType::u8, {5, 4, 3}, "image");
    e.add().input(DType::f32, {4, 7, 3}, "image");
    e.add().input(DType::u8, {5, 4, 3}, "image", 0, 1);
    if (Self::colored) return;
    e.add().input(DType::u8, {9, 8, 1}, "image");
  }

  void infer(Parts& parts) const {
    const PartSpec& image = parts.part(part);
    const bool fits = image.shape.size() == 3 && (image.dtype == DType::u8 || image.dtype == DType::f32);
    const bool channels_vary = image.variable_axis == 2 || image.second_axis == 2;
    if (fits && !channels_vary && (!Self::colored || image.shape[2] == 3)) return;
    const plait_tensor_spec raw = image.c();
    throw Error("part \"", part, "\" is ", Spec(&raw), channels_vary ? ", whose channels vary" : "",
                Self::colored ? ", wanted [H, W, 3] of u8 or f32: red, green, blue"
                              : ", wanted [H, W, C] of u8 or f32");
  }
  void open(Context&, const Parts& parts) {
    const std::vector<int64_t>& shape = parts.part(part).shape;
    if constexpr (requires(const Self& t) { t.picture_workspace(size_t{}, size_t{}, size_t{}); })
      bytes_ = self().picture_workspace(static_cast<size_t>(shape[0]), static_cast<size_t>(shape[1]),
                                        static_cast<size_t>(shape[2]));
  }
  uint64_t workspace_bytes(Context&, int64_t batch) const { return batch == 0 ? bytes_ : 0; }

  void apply(Context&, SampleCall& call) const {
    Random& random = call.random();
    if (!random.chance(p)) return;
    const auto [in, out] = call.part(part);
    call.same_extents(part);
    if (in.dtype() == DType::u8) {
      change_as<uint8_t>(random, call, in, out);
    } else {
      change_as<float>(random, call, in, out);
    }
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }

  template <class V>
  void change_as(Random& random, const SampleCall& call, const Tensor& in, const Tensor& out) const {
    const Picture<V> picture{in.data<V>().data(),
                             out.data<V>().data(),
                             static_cast<size_t>(call.extent(part, 0)),
                             static_cast<size_t>(call.extent(part, 1)),
                             static_cast<size_t>(in.shape(2)),
                             static_cast<size_t>(in.shape(1) * in.shape(2)),
                             call.workspace()};
    self().change(random, picture);
  }

  uint64_t bytes_ = 0;
};

// With an amount that is drawn for each sample, even over low .. high; Self has their defaults kLow and
// kHigh.
template <class Self>
struct PictureAmount : PictureAugmenter<Self> {
  double low = Self::kLow, high = Self::kHigh;

  static void fields(Describe<Self>& d, const char* least, const char* largest, double bottom, double top,
                     const char* unit = "") {
    PictureAugmenter<Self>::fields(d);
    d.field("low", static_cast<double Self::*>(&Self::low)).doc(least).range(bottom, top).unit(unit);
    d.field("high", static_cast<double Self::*>(&Self::high)).doc(largest).range(bottom, top).unit(unit);
  }
  void validate() const {
    if (low > high) throw Error("low is ", low, ", above high ", high);
  }
  double draw(Random& random) const { return random.uniform(low, high); }
};

}  // namespace plait::sdk
