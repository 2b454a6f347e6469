// Pictures whose light values are inverted.
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct Solarize : PictureAmount<Solarize> {
  static constexpr double kLow = 0.5, kHigh = 1;

  static void describe(Describe<Solarize>& d) {
    d.doc("inverts the values of a picture from a random threshold on");
    d.details(
        "white - value where value >= threshold. Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) "
        "to 1 (white);\n"
        "comes out as it goes in.");
    fields(d, "smallest threshold, as a share of white", "largest threshold", 0, 1);
  }
  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const auto threshold = static_cast<float>(draw(random));
    picture.curve([&](float x) { return x >= threshold ? 1 - x : x; });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.solarize", "1.0.0", "Apache-2.0", augmenter<Solarize>("plait.solarize"));
