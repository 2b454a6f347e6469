// Pictures from black to white.
#include <plait/picture.hpp>

#include <limits>

using namespace plait::sdk;

namespace {

struct Autocontrast : PictureAugmenter<Autocontrast> {
  static void describe(Describe<Autocontrast>& d) {
    d.doc("stretches each channel of a picture until it reaches from black to white");
    d.details(
        "(value - least) / (largest - least) of the channel; a channel of one value stays.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d);
  }

  template <class V>
  void change(Random&, const Picture<V>& picture) const {
    for (size_t c = 0; c < picture.channels; ++c) {
      V least = std::numeric_limits<V>::max(), largest = std::numeric_limits<V>::lowest();
      picture.each_of(c, [&](V x, V&) { least = std::min(least, x), largest = std::max(largest, x); });
      const float factor =
          least < largest ? kWhite<V> / (static_cast<float>(largest) - static_cast<float>(least)) : 0;
      const auto black = static_cast<float>(least);
      picture.each_of(
          c, [&](V x, V& y) { y = factor > 0 ? as_value<V>((static_cast<float>(x) - black) * factor) : x; });
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.autocontrast", "1.0.0", "Apache-2.0", augmenter<Autocontrast>("plait.autocontrast"));
