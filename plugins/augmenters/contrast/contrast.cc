// Pictures with more or less contrast.
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct Contrast : PictureAmount<Contrast> {
  static constexpr double kLow = 0.8, kHigh = 1.2;

  static void describe(Describe<Contrast>& d) {
    d.doc("takes the values of a picture nearer to its mean brightness, or further from it");
    d.details(
        "mean + factor * (value - mean); the mean is of the picture's brightness (of three channels 0.299 R "
        "+ 0.587 G + "
        "0.114 B).\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d, "smallest factor; 0 is all grey", "largest factor", 0, 1000);
  }
  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const double factor = draw(random);
    picture.line(static_cast<float>(factor), static_cast<float>((1 - factor) * picture.mean()));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.contrast", "1.0.0", "Apache-2.0", augmenter<Contrast>("plait.contrast"));
