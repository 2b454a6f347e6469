// Pictures lighter or darker.
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct Brightness : PictureAmount<Brightness> {
  static constexpr double kLow = 0.8, kHigh = 1.2;

  static void describe(Describe<Brightness>& d) {
    d.doc("makes a picture lighter or darker by a random factor");
    d.details(
        "value * factor. Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out "
        "as it goes in.");
    fields(d, "smallest factor; 0 is black", "largest factor", 0, 1000);
  }
  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    picture.line(static_cast<float>(draw(random)), 0);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.brightness", "1.0.0", "Apache-2.0", augmenter<Brightness>("plait.brightness"));
