// Pictures with stronger or weaker colours.
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct Saturation : PictureAmount<Saturation> {
  static constexpr bool colored = true;
  static constexpr double kLow = 0.8, kHigh = 1.2;

  static void describe(Describe<Saturation>& d) {
    d.doc("takes the colours of a picture nearer to grey, or further from it");
    d.details(
        "grey + factor * (value - grey); grey is 0.299 R + 0.587 G + 0.114 B of the same pixel.\n"
        "Shapes: the part [H, W, 3] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d, "smallest factor; 0 is grey", "largest factor", 0, 1000);
  }
  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const auto factor = static_cast<float>(draw(random));
    picture.each_run([&](const V* x, V* y, size_t count) { saturate(x, y, count / 3, factor); });
  }

 private:
  PLAIT_FAST static void saturate(const uint8_t* x, uint8_t* y, size_t pixels, float factor) {
    for (size_t i = 0; i < pixels; ++i) mix(x + 3 * i, y + 3 * i, factor);
  }
  PLAIT_FAST static void saturate(const float* x, float* y, size_t pixels, float factor) {
    for (size_t i = 0; i < pixels; ++i) mix(x + 3 * i, y + 3 * i, factor);
  }
  template <class V>
  PLAIT_INLINE static void mix(const V* x, V* y, float factor) {
    const auto red = static_cast<float>(x[0]), green = static_cast<float>(x[1]),
               blue = static_cast<float>(x[2]);
    const float grey = grey_of(red, green, blue);
    y[0] = as_value<V>(grey + factor * (red - grey));
    y[1] = as_value<V>(grey + factor * (green - grey));
    y[2] = as_value<V>(grey + factor * (blue - grey));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.saturation", "1.0.0", "Apache-2.0", augmenter<Saturation>("plait.saturation"));
