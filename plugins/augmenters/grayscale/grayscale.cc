// Pictures without colours.
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct Grayscale : PictureAugmenter<Grayscale> {
  static constexpr bool colored = true;

  static void describe(Describe<Grayscale>& d) {
    d.doc("takes the colours out of a picture");
    d.details(
        "Each channel becomes 0.299 R + 0.587 G + 0.114 B.\n"
        "Shapes: the part [H, W, 3] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d);
  }

  template <class V>
  void change(Random&, const Picture<V>& picture) const {
    picture.each_run([](const V* x, V* y, size_t count) { take_colours(x, y, count / 3); });
  }

 private:
  PLAIT_FAST static void take_colours(const uint8_t* x, uint8_t* y, size_t pixels) {
    for (size_t i = 0; i < pixels; ++i) take(x + 3 * i, y + 3 * i);
  }
  PLAIT_FAST static void take_colours(const float* x, float* y, size_t pixels) {
    for (size_t i = 0; i < pixels; ++i) take(x + 3 * i, y + 3 * i);
  }
  template <class V>
  PLAIT_INLINE static void take(const V* x, V* y) {
    y[0] = y[1] = y[2] =
        as_value<V>(grey_of(static_cast<float>(x[0]), static_cast<float>(x[1]), static_cast<float>(x[2])));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.grayscale", "1.0.0", "Apache-2.0", augmenter<Grayscale>("plait.grayscale"));
