// Pictures whose middle tones are lighter or darker.
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct Gamma : PictureAmount<Gamma> {
  static constexpr double kLow = 0.8, kHigh = 1.25;

  static void describe(Describe<Gamma>& d) {
    d.doc("raises the values of a picture to a random power");
    d.details(
        "value ^ exponent, where black is 0 and white is 1: an exponent below 1 lightens.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d, "smallest exponent", "largest exponent", 0.01, 100);
  }
  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const auto exponent = static_cast<float>(draw(random));
    picture.curve([&](float x) { return std::pow(x < 0 ? 0.0f : x, exponent); });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.gamma", "1.0.0", "Apache-2.0", augmenter<Gamma>("plait.gamma"));
