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
    picture.each_colors(
        [](float* red, float* green, float* blue, size_t count) { take(red, green, blue, count); });
  }

 private:
  PLAIT_FAST static void take(float* red, float* green, float* blue, size_t count) {
    for (size_t i = 0; i < count; ++i) red[i] = green[i] = blue[i] = grey_of(red[i], green[i], blue[i]);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.grayscale", "1.0.0", "Apache-2.0", augmenter<Grayscale>("plait.grayscale"));
