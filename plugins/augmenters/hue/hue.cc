// Pictures in other colours.
#include <plait/color.hpp>
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct Hue : PictureAmount<Hue> {
  static constexpr bool colored = true;
  static constexpr double kLow = -0.05, kHigh = 0.05;

  static void describe(Describe<Hue>& d) {
    d.doc("turns the colours of a picture around the circle of hues");
    d.details(
        "Hue, saturation and value of a pixel, the hue turned by a part of the circle.\n"
        "Shapes: the part [H, W, 3] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d, "smallest turn; 0.5 is the opposite colour", "largest turn", -0.5, 0.5, "turn");
  }

  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const auto turn = static_cast<float>(6 * draw(random));
    picture.each_colors([&](float* red, float* green, float* blue, size_t count) {
      turn_hues(red, green, blue, count, turn);
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.hue", "1.0.0", "Apache-2.0", augmenter<Hue>("plait.hue"));
