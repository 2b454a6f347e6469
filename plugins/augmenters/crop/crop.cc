// A square of a picture.
#include <plait/sdk.hpp>

#include <cstring>
#include <string>

using namespace plait::sdk;

namespace {

enum class At { random, centre };

struct Crop {
  static constexpr bool two_axes = true;
  std::string part = "image";
  int64_t size = 8;
  At place = At::random;

  static void describe(Describe<Crop>& d) {
    d.doc("cuts a square out of a picture, at random or from its middle");
    d.details(
        "Shapes: the part [H, W, C] of any element type becomes [size, size, C]; where H or W vary, the "
        "square "
        "is cut out of what\n"
        "the sample has. Every place where the square lies inside is as likely. From the middle: of an odd "
        "rest the smaller half lies\n"
        "above and to the left. Fails with: a sample that is smaller than the square.");
    d.field("part", &Crop::part).doc("part of the sample");
    d.field("size", &Crop::size).doc("edge of the square").range(1, 65536).unit("px");
    d.field("place", &Crop::place).doc("where it is cut out").choices({"random", "centre"});
  }
  static void examples(Examples& e) {
    e.add("size: 2").input(DType::u8, {5, 4, 3}, "image");
    e.add("size: 3 place: centre").input(DType::f32, {3, 6, 1}, "image");
    e.add("size: 1").input(DType::u8, {5, 4, 3}, "image", 0, 1);
  }

  void infer(Parts& parts) const {
    PartSpec& image = parts.part(part);
    if (image.shape.size() != 3 || image.variable_axis == 2 || image.second_axis == 2)
      throw Error("part \"", part, "\" is ", name_of(image.dtype), std::span<const int64_t>(image.shape),
                  image.shape.size() == 3 ? " whose channels vary" : "", ", wanted [H, W, C]");
    if (image.shape[0] < size || image.shape[1] < size)
      throw Error("part \"", part, "\" is ", name_of(image.dtype), std::span<const int64_t>(image.shape),
                  ", smaller than the square of ", size, " by ", size);
    image.shape[0] = image.shape[1] = size;
    image.variable_axis = image.second_axis = -1;
  }

  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part(part);
    const int64_t height = call.extent(part, 0), width = call.extent(part, 1);
    if (height < size || width < size)
      throw Error("part \"", part, "\" is of ", height, " by ", width, ", smaller than the square of ", size,
                  " by ", size);
    const auto rows = static_cast<size_t>(height - size), columns = static_cast<size_t>(width - size);
    size_t top = rows / 2, left = columns / 2;
    if (place == At::random) {
      Random random = call.random();
      top = static_cast<size_t>(random.uniform() * static_cast<double>(rows + 1));
      left = static_cast<size_t>(random.uniform() * static_cast<double>(columns + 1));
    }
    const size_t pixel = static_cast<size_t>(in.shape(2)) * size_of(in.dtype());
    const size_t from_row = static_cast<size_t>(in.shape(1)) * pixel, row = static_cast<size_t>(size) * pixel;
    const auto* from = static_cast<const uint8_t*>(in.raw()) + top * from_row + left * pixel;
    auto* to = static_cast<uint8_t*>(out.raw());
    for (size_t i = 0; i < static_cast<size_t>(size); ++i)
      std::memcpy(to + i * row, from + i * from_row, row);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.crop", "1.0.0", "Apache-2.0", augmenter<Crop>("plait.crop"));
