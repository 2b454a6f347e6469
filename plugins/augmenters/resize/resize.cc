// Pictures of another size.
#include <plait/scaled_picture.hpp>

using namespace plait::sdk;

namespace {

struct Resize : ScaledAugmenter<Resize> {
  static void describe(Describe<Resize>& d) {
    d.doc("scales a picture to a size, whatever its shape was");
    d.details(
        "Each pixel is a weighted mean of those around its place, along the columns first; weights of one "
        "pixel "
        "add up to 1.\n"
        "nearest: the pixel that the place lies in. bilinear, bicubic (Keys 1981, a = -1/2): as Pillow has "
        "them. area: what of each\n"
        "pixel lies in the region that the new one stands for.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white), where H and W may vary; "
        "becomes "
        "[size, size, C].");
    fields(d);
  }
  static void examples(Examples& e) {
    e.add("size: [3, 5]").input(DType::u8, {5, 4, 3}, "image");
    e.add("size: 4 filter: bicubic").input(DType::f32, {9, 7, 1}, "image");
    e.add("size: [2, 9] filter: area").input(DType::u8, {5, 4, 3}, "image", 0, 1);
    e.add("size: 3 filter: nearest antialias: false").input(DType::f32, {5, 4, 2}, "image");
  }
  Rectangle region(Random&, size_t height, size_t width) const { return {0, 0, height, width}; }
};

}  // namespace

PLAIT_PLUGIN("plait.resize", "1.0.0", "Apache-2.0", augmenter<Resize>("plait.resize"));
