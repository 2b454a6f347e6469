// Pictures mirrored at random.
#include <plait/sdk.hpp>

#include <cstring>

using namespace plait::sdk;

namespace {

struct Flip {
  static constexpr bool two_axes = true;
  std::string part = "image";
  double horizontal = 0.5, vertical = 0;

  static void describe(Describe<Flip>& d) {
    d.doc("mirrors a picture with the chances given");
    d.details("Shapes: the part [H, W, C] of any element type; comes out as it goes in.");
    d.field("part", &Flip::part).doc("part of the sample");
    d.field("horizontal", &Flip::horizontal).doc("chance that left and right are exchanged").range(0, 1);
    d.field("vertical", &Flip::vertical).doc("chance that top and bottom are exchanged").range(0, 1);
  }
  static void examples(Examples& e) {
    e.add().input(DType::u8, {5, 4, 3}, "image");
    e.add("vertical: 0.5").input(DType::u8, {5, 4, 3}, "image", 0, 1);
  }
  void infer(Parts& parts) const {
    const PartSpec& image = parts.part(part);
    if (image.shape.size() == 3) return;
    const plait_tensor_spec raw = image.c();
    throw Error("part \"", part, "\" is ", Spec(&raw), ", wanted [H, W, C]");
  }

  void apply(Context&, SampleCall& call) const {
    const bool across = call.random().chance(horizontal), down = call.random().chance(vertical);
    if (!across && !down) return;
    const auto [in, out] = call.part(part);
    call.same_extents(part);
    const auto height = static_cast<size_t>(call.extent(part, 0));
    const auto width = static_cast<size_t>(call.extent(part, 1));
    const size_t pixel = static_cast<size_t>(in.shape(2)) * size_of(in.dtype());
    const size_t row = static_cast<size_t>(in.shape(1)) * pixel;
    for (size_t i = 0; i < height; ++i) {
      const auto* from = static_cast<const uint8_t*>(in.raw()) + (down ? height - 1 - i : i) * row;
      auto* to = static_cast<uint8_t*>(out.raw()) + i * row;
      if (across) {
        for (size_t j = 0; j < width; ++j) std::memcpy(to + j * pixel, from + (width - 1 - j) * pixel, pixel);
      } else {
        std::memcpy(to, from, width * pixel);
      }
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.flip", "1.0.0", "Apache-2.0", augmenter<Flip>("plait.flip"));
