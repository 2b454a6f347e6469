// Pictures of which a rectangle is erased.
#include <plait/picture.hpp>
#include <plait/random_rectangle.hpp>

using namespace plait::sdk;

namespace {

struct RandomErasing : PictureAugmenter<RandomErasing> {
  double area_low = 0.02, area_high = 0.33, ratio_low = 0.3, ratio_high = 3.3, fill = 0;
  bool noise = false;

  static void describe(Describe<RandomErasing>& d) {
    d.doc("hides a rectangle of a picture, of random size, shape and place");
    d.details(
        "Its area is a share of the picture's, evenly drawn; its width over its height is drawn so that each "
        "doubling "
        "is as likely;\n"
        "all places inside are as likely. Where ten are no smaller than the picture nothing is hidden.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.\n"
        "Source: Zhong, Zheng, Kang, Li, Yang 2017, algorithm 1.");
    fields(d);
    d.field("area_low", &RandomErasing::area_low).doc("least share of the area").range(0, 1);
    d.field("area_high", &RandomErasing::area_high).doc("largest share of the area").range(0, 1);
    d.field("ratio_low", &RandomErasing::ratio_low).doc("least width over height").range(0.01, 100);
    d.field("ratio_high", &RandomErasing::ratio_high).doc("largest width over height").range(0.01, 100);
    d.field("fill", &RandomErasing::fill).doc("what hides, as a share of white").range(0, 1);
    d.field("noise", &RandomErasing::noise).doc("every value that hides is drawn, all tones as likely");
  }
  void validate() const {
    if (area_low > area_high) throw Error("area_low is ", area_low, ", above area_high ", area_high);
    if (ratio_low > ratio_high) throw Error("ratio_low is ", ratio_low, ", above ratio_high ", ratio_high);
  }

  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    picture.copy();
    const RectangleBounds bounds{area_low, area_high, ratio_low, ratio_high};
    if (const auto drawn = draw_rectangle(random, bounds, picture.height, picture.width, 1))
      hide(random, picture, *drawn);
  }

 private:
  template <class V>
  void hide(Random& random, const Picture<V>& picture, const Rectangle& of) const {
    const V value = as_value<V>(static_cast<float>(fill) * kWhite<V>);
    for (size_t row = of.top; row < of.top + of.height; ++row) {
      V* const to = picture.y + row * picture.row + of.left * picture.channels;
      if (!noise) {
        std::fill_n(to, of.width * picture.channels, value);
        continue;
      }
      for (size_t i = 0; i < of.width * picture.channels; ++i)
        to[i] = std::is_same_v<V, uint8_t> ? static_cast<V>(random.integer(256))
                                           : static_cast<V>(random.uniform());
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.random_erasing", "1.0.0", "Apache-2.0", augmenter<RandomErasing>("plait.random_erasing"));
