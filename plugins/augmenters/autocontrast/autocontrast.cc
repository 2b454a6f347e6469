// Pictures from black to white.
#include <plait/picture.hpp>

#include <limits>

using namespace plait::sdk;

namespace {

struct Autocontrast : PictureAugmenter<Autocontrast> {
  static void describe(Describe<Autocontrast>& d) {
    d.doc("stretches each channel of a picture until it reaches from black to white");
    d.details(
        "(value - least) / (largest - least) of the channel; a channel of one value stays.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d);
  }

  template <class V>
  void change(Random&, const Picture<V>& picture) const {
    if (kLanes % picture.channels != 0) return one_by_one(picture);
    std::array<V, kLanes> least, largest;
    std::array<float, kLanes> black, factor;
    least.fill(std::numeric_limits<V>::max()), largest.fill(std::numeric_limits<V>::lowest());
    picture.each_run([&](const V* x, V*, size_t count) { look(x, count, least.data(), largest.data()); });
    for (size_t c = 0; c < picture.channels; ++c) {
      for (size_t lane = c; lane < kLanes; lane += picture.channels)
        least[c] = std::min(least[c], least[lane]), largest[c] = std::max(largest[c], largest[lane]);
      const auto [from, times] = stretched(least[c], largest[c]);
      for (size_t lane = c; lane < kLanes; lane += picture.channels) black[lane] = from, factor[lane] = times;
    }
    picture.each_run(
        [&](const V* x, V* y, size_t count) { stretch(x, y, count, black.data(), factor.data()); });
  }

 private:
  static constexpr size_t kLanes = 48;  // whole pixels of 1, 2, 3 or 4 channels

  struct Stretch {
    float black, factor;
  };
  template <class V>
  static Stretch stretched(V least, V largest) {
    if (!(least < largest)) return {0, 1};
    const auto black = static_cast<float>(least);
    return {black, kWhite<V> / (static_cast<float>(largest) - black)};
  }
  template <class V>
  static void one_by_one(const Picture<V>& picture) {
    for (size_t c = 0; c < picture.channels; ++c) {
      V least = std::numeric_limits<V>::max(), largest = std::numeric_limits<V>::lowest();
      picture.each_of(c, [&](V x, V&) { least = std::min(least, x), largest = std::max(largest, x); });
      const Stretch by = stretched(least, largest);
      picture.each_of(c, [&](V x, V& y) { y = as_value<V>((static_cast<float>(x) - by.black) * by.factor); });
    }
  }

  PLAIT_FAST static void look(const uint8_t* x, size_t count, uint8_t* least, uint8_t* largest) {
    look_in_lanes(x, count, least, largest);
  }
  PLAIT_FAST static void look(const float* x, size_t count, float* least, float* largest) {
    look_in_lanes(x, count, least, largest);
  }
  template <class V>
  PLAIT_INLINE static void look_in_lanes(const V* x, size_t count, V* least, V* largest) {
    V low[kLanes], high[kLanes];  // which nothing else points to, so that they stay in registers
    for (size_t lane = 0; lane < kLanes; ++lane) low[lane] = least[lane], high[lane] = largest[lane];
    size_t i = 0;
    for (; i + kLanes <= count; i += kLanes)
      for (size_t lane = 0; lane < kLanes; ++lane) take(x[i + lane], low[lane], high[lane]);
    for (size_t lane = 0; i + lane < count; ++lane) take(x[i + lane], low[lane], high[lane]);
    for (size_t lane = 0; lane < kLanes; ++lane) least[lane] = low[lane], largest[lane] = high[lane];
  }
  template <class V>
  PLAIT_INLINE static void take(V x, V& least, V& largest) {
    least = x < least ? x : least;
    largest = x > largest ? x : largest;
  }
  PLAIT_FAST static void stretch(const uint8_t* x, uint8_t* y, size_t count, const float* black,
                                 const float* factor) {
    size_t i = 0;
    for (; i + kLanes <= count; i += kLanes)
      for (size_t lane = 0; lane < kLanes; ++lane)
        y[i + lane] = as_value<uint8_t>((static_cast<float>(x[i + lane]) - black[lane]) * factor[lane]);
    for (size_t lane = 0; i + lane < count; ++lane)
      y[i + lane] = as_value<uint8_t>((static_cast<float>(x[i + lane]) - black[lane]) * factor[lane]);
  }
  PLAIT_FAST static void stretch(const float* x, float* y, size_t count, const float* black,
                                 const float* factor) {
    size_t i = 0;
    for (; i + kLanes <= count; i += kLanes)
      for (size_t lane = 0; lane < kLanes; ++lane)
        y[i + lane] = as_value<float>((x[i + lane] - black[lane]) * factor[lane]);
    for (size_t lane = 0; i + lane < count; ++lane)
      y[i + lane] = as_value<float>((x[i + lane] - black[lane]) * factor[lane]);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.autocontrast", "1.0.0", "Apache-2.0", augmenter<Autocontrast>("plait.autocontrast"));
