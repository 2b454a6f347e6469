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
    picture.each_colors([&](float* red, float* green, float* blue, size_t count) {
      saturate(red, green, blue, count, factor);
    });
  }

 private:
  PLAIT_FAST static void saturate(float* red, float* green, float* blue, size_t count, float factor) {
    for (size_t i = 0; i < count; ++i) {
      const float grey = grey_of(red[i], green[i], blue[i]);
      red[i] = grey + factor * (red[i] - grey);
      green[i] = grey + factor * (green[i] - grey);
      blue[i] = grey + factor * (blue[i] - grey);
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.saturation", "1.0.0", "Apache-2.0", augmenter<Saturation>("plait.saturation"));
