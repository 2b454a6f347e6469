// Pictures mirrored about their diagonal.
#include <plait/turned_picture.hpp>

using namespace plait::sdk;

namespace augmenters {
namespace {

struct Transpose {
  static constexpr bool two_axes = true;
  std::string part = "image";
  double p = 0.5;

  static void describe(Describe<Transpose>& d) {
    d.doc("exchanges rows and columns of a picture");
    d.details(
        "Shapes: the part [H, W, C] of any element type; with p below 1 comes out as it goes in, and H and W "
        "are alike; with "
        "p 1\n"
        "becomes [W, H, C].");
    d.field("part", &Transpose::part).doc("part of the sample");
    d.field("p", &Transpose::p).doc("chance that a sample is changed").range(0, 1);
  }
  static void examples(Examples& e) {
    e.add().input(DType::u8, {4, 4, 3}, "image");
    e.add("p: 1").input(DType::f32, {5, 4, 1}, "image");
    e.add("p: 1").input(DType::u8, {5, 4, 3}, "image", 0, 1);
    e.add().input(DType::u8, {5, 5, 3}, "image", 0, 1);
    e.add("p: 1").input(DType::u8, {5, 4, 3}, "image", 1);
  }

  void infer(Parts& parts) const {
    PartSpec& image = picture_part(parts, part);
    if (p < 1) return want_square(image);
    exchange_extents(image);
  }
  void apply(Context&, SampleCall& call) const {
    if (call.random().chance(p)) turn_picture(call, part, {.exchange = true});
  }
};

}  // namespace
}  // namespace augmenters

PLAIT_PLUGIN("plait.transpose_augmenter", "1.0.0", "Apache-2.0",
             augmenter<augmenters::Transpose>("plait.transpose"));
