// Pictures sharper or softer.
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct Sharpen : PictureAmount<Sharpen> {
  static constexpr double kLow = 0.5, kHigh = 2;

  static void describe(Describe<Sharpen>& d) {
    d.doc("takes a picture further from its smoothed self, or nearer to it");
    d.details(
        "smooth + factor * (value - smooth); smooth is the mean of 3 by 3 pixels of which the middle counts "
        "5 times. Pixels\n"
        "at the edge stay.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d, "smallest factor; 0 is smoothed, 1 as it is", "largest factor", 0, 100);
  }

  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const auto factor = static_cast<float>(draw(random));
    const size_t used = picture.width * picture.channels, edge = picture.channels;
    for (size_t i = 0; i < picture.height; ++i) {
      const V* x = picture.x + i * picture.row;
      V* y = picture.y + i * picture.row;
      std::copy_n(x, used, y);
      if (i == 0 || i + 1 == picture.height || picture.width < 3) continue;
      sharpen(x - picture.row, x, x + picture.row, y, edge, used - edge, factor);
    }
  }

 private:
  PLAIT_FAST static void sharpen(const uint8_t* above, const uint8_t* x, const uint8_t* below, uint8_t* y,
                                 size_t edge, size_t end, float factor) {
    for (size_t i = edge; i < end; ++i)
      y[i] = sharper(above + i, x + i, below + i, static_cast<ptrdiff_t>(edge), factor);
  }
  PLAIT_FAST static void sharpen(const float* above, const float* x, const float* below, float* y,
                                 size_t edge, size_t end, float factor) {
    for (size_t i = edge; i < end; ++i)
      y[i] = sharper(above + i, x + i, below + i, static_cast<ptrdiff_t>(edge), factor);
  }
  template <class V>
  PLAIT_INLINE static float number(V x) {
    return static_cast<float>(x);
  }
  template <class V>
  PLAIT_INLINE static V sharper(const V* above, const V* x, const V* below, ptrdiff_t step, float factor) {
    const float around = number(above[-step]) + number(above[0]) + number(above[step]) + number(x[-step]) +
                         number(x[step]) + number(below[-step]) + number(below[0]) + number(below[step]);
    const float value = number(x[0]), smooth = (around + 5 * value) * (1.0f / 13);
    return as_value<V>(smooth + factor * (value - smooth));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.sharpen", "1.0.0", "Apache-2.0", augmenter<Sharpen>("plait.sharpen"));
