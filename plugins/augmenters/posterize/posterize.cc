// Pictures of few tones.
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct Posterize : PictureAugmenter<Posterize> {
  int64_t low = 4, high = 7;

  static void describe(Describe<Posterize>& d) {
    d.doc("keeps a random number of bits of each value of a picture");
    d.details(
        "The bits below are set to 0; f32: floor(value * 2^bits) / 2^bits, white as the tone below it.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d);
    d.field("low", &Posterize::low).doc("fewest bits that are kept").range(1, 8);
    d.field("high", &Posterize::high).doc("most bits that are kept").range(1, 8);
  }

  void validate() const {
    if (low > high) throw Error("low is ", low, ", above high ", high);
  }
  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const int64_t bits = random.integer(low, high);
    const auto tones = static_cast<float>(1 << bits);
    if constexpr (std::is_same_v<V, uint8_t>) {
      std::array<uint8_t, 256> table;
      for (size_t i = 0; i < 256; ++i) table[i] = static_cast<uint8_t>(i >> (8 - bits) << (8 - bits));
      picture.look_up(table);
    } else {
      picture.curve([&](float x) { return std::min(std::floor(x * tones), tones - 1) / tones; });
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.posterize", "1.0.0", "Apache-2.0", augmenter<Posterize>("plait.posterize"));
