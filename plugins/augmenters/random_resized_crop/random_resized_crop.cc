// Rectangles of pictures, scaled to one size.
#include <plait/scaled_picture.hpp>

#include <cmath>

using namespace plait::sdk;

namespace {

struct RandomResizedCrop : ScaledAugmenter<RandomResizedCrop> {
  double area_low = 0.08, area_high = 1, ratio_low = 0.75, ratio_high = 4.0 / 3;

  static void describe(Describe<RandomResizedCrop>& d) {
    d.doc("cuts a rectangle of random size, shape and place out of a picture, and scales it to one size");
    d.details(
        "The rectangle's area is a share of the picture's, evenly drawn; its width over its height is drawn "
        "so "
        "that each doubling\n"
        "is as likely; all places inside are as likely. After ten that are larger than the picture it is the "
        "largest in the\n"
        "middle whose ratio is within the bounds.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white), where H and W may vary; "
        "becomes "
        "[size, size, C].\n"
        "Source: Szegedy et al. 2015, section 6.");
    fields(d);
    d.field("area_low", &RandomResizedCrop::area_low).doc("least share of the area").above(0).at_most(1);
    d.field("area_high", &RandomResizedCrop::area_high).doc("largest share of the area").above(0).at_most(1);
    d.field("ratio_low", &RandomResizedCrop::ratio_low).doc("least width over height").range(0.01, 100);
    d.field("ratio_high", &RandomResizedCrop::ratio_high).doc("largest width over height").range(0.01, 100);
  }
  static void examples(Examples& e) {
    e.add("size: [3, 5]").input(DType::u8, {12, 9, 3}, "image");
    e.add("size: 4 filter: bicubic area_low: 0.5").input(DType::f32, {9, 7, 1}, "image");
    e.add("size: [2, 9] ratio_low: 2 ratio_high: 3").input(DType::u8, {5, 4, 3}, "image", 0, 1);
  }
  void validate() const {
    ScaledAugmenter::validate();
    if (area_low > area_high) throw Error("area_low is ", area_low, ", above area_high ", area_high);
    if (ratio_low > ratio_high) throw Error("ratio_low is ", ratio_low, ", above ratio_high ", ratio_high);
  }

  Rectangle region(Random& random, size_t height, size_t width) const {
    const RectangleBounds bounds{area_low, area_high, ratio_low, ratio_high};
    if (const auto drawn = draw_rectangle(random, bounds, height, width, 0)) return *drawn;
    const auto high = static_cast<double>(height), wide = static_cast<double>(width);
    const double ratio = std::clamp(wide / high, ratio_low, ratio_high);
    const double w = std::clamp(std::round(high * ratio), 1.0, wide),
                 h = std::clamp(std::round(w / ratio), 1.0, high);
    return {static_cast<size_t>(high - h) / 2, static_cast<size_t>(wide - w) / 2, static_cast<size_t>(h),
            static_cast<size_t>(w)};
  }
};

}  // namespace

PLAIT_PLUGIN("plait.random_resized_crop", "1.0.0", "Apache-2.0",
             augmenter<RandomResizedCrop>("plait.random_resized_crop"));
