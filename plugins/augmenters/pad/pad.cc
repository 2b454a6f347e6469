// Pictures with a border.
#include <plait/turned_picture.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace plait::sdk;

namespace augmenters {
namespace {

enum class Border { constant, edge, reflect };

struct Pad {
  static constexpr bool two_axes = true;
  std::string part = "image";
  std::vector<int64_t> size = {4};
  Border border = Border::constant;
  double fill = 0;

  static void describe(Describe<Pad>& d) {
    d.doc("adds a border to a picture");
    d.details(
        "Shapes: the part [H, W, C] of u8 or f32 becomes [H + top + bottom, W + left + right, C]; where H or "
        "W vary, the border "
        "lies\n"
        "around what the sample has. reflect: what lies inside of the edge, from there outwards, without the "
        "edge itself; it "
        "wants\n"
        "pictures that are larger than the border.\n"
        "Fails with: a sample that is too small to be reflected.");
    d.field("part", &Pad::part).doc("part of the sample");
    d.field("size", &Pad::size)
        .doc("of the border: one for all sides, or top, bottom, left, right")
        .range(0, 1024)
        .unit("px");
    d.field("border", &Pad::border).doc("what it holds").choices({"constant", "edge", "reflect"});
    d.field("fill", &Pad::fill).doc("value of a constant border; of u8 a whole number of 0 to 255");
  }
  static void examples(Examples& e) {
    e.add("size: 2").input(DType::u8, {5, 4, 3}, "image");
    e.add("size: [1, 0, 2, 3] border: edge").input(DType::f32, {3, 6, 1}, "image");
    e.add("size: [0, 2, 1, 1] border: constant fill: 9").input(DType::u8, {5, 4, 3}, "image", 0, 1);
    e.add("size: 1 border: reflect").input(DType::u8, {5, 4, 3}, "image");
  }
  void validate() const {
    if (size.size() != 1 && size.size() != 4) throw Error("size has ", size.size(), " values, wanted 1 or 4");
  }

  void infer(Parts& parts) const {
    PartSpec& image = picture_part(parts, part);
    if (image.dtype != DType::u8 && image.dtype != DType::f32)
      throw Error("part \"", part, "\" is ", name_of(image.dtype), std::span<const int64_t>(image.shape),
                  ", wanted [H, W, C] of u8 or f32");
    if (image.dtype == DType::u8 && (fill < 0 || fill > 255 || fill != std::floor(fill)))
      throw Error("fill is ", fill, ", wanted a whole number of 0 to 255 for part \"", part, "\" of u8");
    check_reflects(image.shape[0], image.shape[1]);
    image.shape[0] += side(0) + side(1);
    image.shape[1] += side(2) + side(3);
  }

  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part(part);
    const int64_t height = call.extent(part, 0), width = call.extent(part, 1);
    check_reflects(height, width);
    const int64_t rows = height + side(0) + side(1), columns = width + side(2) + side(3);
    if (out.second_axis() >= 0) {
      call.set_extents(part, rows, columns);
    } else if (out.variable_axis() >= 0) {
      call.set_length(part, out.variable_axis() == 0 ? rows : columns);
    }
    if (in.dtype() == DType::u8) {
      draw<uint8_t>(in, out, height, width);
    } else {
      draw<float>(in, out, height, width);
    }
  }

 private:
  int64_t side(size_t which) const { return size[size.size() == 1 ? 0 : which]; }
  void check_reflects(int64_t height, int64_t width) const {
    if (border == Border::constant) return;
    const int64_t least = border == Border::edge ? 1 : 1 + std::max({side(0), side(1)});
    const int64_t across = border == Border::edge ? 1 : 1 + std::max({side(2), side(3)});
    if (height < least || width < across)
      throw Error("part \"", part, "\" is of ", height, " by ", width, ", wanted at least ", least, " by ",
                  across, " for a border of its own pixels");
  }
  // Where a place of the border or inside comes from; -1: from fill.
  int64_t place(int64_t at, int64_t extent) const {
    if (at >= 0 && at < extent) return at;
    if (border == Border::constant) return -1;
    if (border == Border::edge) return at < 0 ? 0 : extent - 1;
    return at < 0 ? -at : 2 * (extent - 1) - at;
  }
  template <class V>
  void draw(const Tensor& in, const Tensor& out, int64_t height, int64_t width) const {
    const auto channels = static_cast<size_t>(in.shape(2));
    const V* const x = in.data<V>().data();
    V* const y = out.data<V>().data();
    const auto row_in = static_cast<size_t>(in.shape(1)) * channels,
               row_out = static_cast<size_t>(out.shape(1)) * channels;
    const auto value = static_cast<V>(fill);
    for (int64_t i = -side(0); i < height + side(1); ++i) {
      V* const to = y + static_cast<size_t>(i + side(0)) * row_out;
      const int64_t row = place(i, height);
      if (row < 0) {
        std::fill_n(to, static_cast<size_t>(width + side(2) + side(3)) * channels, value);
        continue;
      }
      const V* const from = x + static_cast<size_t>(row) * row_in;
      for (int64_t j = -side(2); j < 0; ++j)
        put(from, place(j, width), to + static_cast<size_t>(j + side(2)) * channels, channels, value);
      std::copy_n(from, static_cast<size_t>(width) * channels, to + static_cast<size_t>(side(2)) * channels);
      for (int64_t j = width; j < width + side(3); ++j)
        put(from, place(j, width), to + static_cast<size_t>(j + side(2)) * channels, channels, value);
    }
  }
  template <class V>
  static void put(const V* from, int64_t column, V* to, size_t channels, V value) {
    if (column < 0) {
      std::fill_n(to, channels, value);
    } else {
      std::copy_n(from + static_cast<size_t>(column) * channels, channels, to);
    }
  }
};

}  // namespace
}  // namespace augmenters

PLAIT_PLUGIN("plait.pad_augmenter", "1.0.0", "Apache-2.0", augmenter<augmenters::Pad>("plait.pad"));
