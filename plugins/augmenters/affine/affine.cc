// Pictures a little turned, moved, stretched and slanted.
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace {

// Where an output pixel comes from: input place = matrix * (output place - centre) + (centre + offset).
struct InverseMap {
  float xx, xy, yx, yy, x0, y0;
};

// sine and cosine for |x| <= 2 pi by Taylor's series to x^34, whose next term is at most 6.3^35 / 35! =
// 1e-12: a millionth of a millionth of the picture's width. The same bits wherever the instruction set is the
// same.
double sine(double x) {
  double sum = 0;
  for (int n = 35; n > 1; n -= 2) sum = (1 + sum) * -x * x / (n * (n - 1));
  return x * (1 + sum);
}
double cosine(double x) {
  double sum = 0;
  for (int n = 36; n > 0; n -= 2) sum = (1 + sum) * -x * x / (n * (n - 1));
  return 1 + sum;
}

uint8_t stored(float value, uint8_t) {
  return static_cast<uint8_t>(std::min(255.0f, std::max(0.0f, value + 0.5f)));
}
float stored(float value, float) { return value; }

// A picture's valid part; rows are `stride` elements apart.
template <class V>
struct Picture {
  const V* x;
  V* y;
  int height, width;
  size_t channels, stride;
  float fill;

  float at(int row, int column, size_t channel) const {
    if (row < 0 || row >= height || column < 0 || column >= width) return fill;
    return static_cast<float>(
        x[static_cast<size_t>(row) * stride + static_cast<size_t>(column) * channels + channel]);
  }
  // Bilinear: the four pixels around (v, u), each by its nearness. Outside lies fill.
  void sample(float u, float v, V* to) const {
    const float left = std::floor(u), top = std::floor(v);
    // Beyond one pixel outside there is nothing but fill; this also keeps the conversion to int in range.
    if (!(left >= -1 && left < static_cast<float>(width) && top >= -1 && top < static_cast<float>(height))) {
      for (size_t c = 0; c < channels; ++c) to[c] = stored(fill, V{});
      return;
    }
    const float a = u - left, b = v - top;
    const int column = static_cast<int>(left), row = static_cast<int>(top);
    for (size_t c = 0; c < channels; ++c) {
      const float above = at(row, column, c) * (1 - a) + at(row, column + 1, c) * a;
      const float below = at(row + 1, column, c) * (1 - a) + at(row + 1, column + 1, c) * a;
      to[c] = stored(above * (1 - b) + below * b, V{});
    }
  }
  void map(const InverseMap& m) const {
    for (int i = 0; i < height; ++i) {
      V* row = y + static_cast<size_t>(i) * stride;
      for (int j = 0; j < width; ++j) {
        const auto u = static_cast<float>(j), v = static_cast<float>(i);
        sample(m.xx * u + m.xy * v + m.x0, m.yx * u + m.yy * v + m.y0,
               row + static_cast<size_t>(j) * channels);
      }
    }
  }
};

constexpr int64_t kMostEdge = int64_t{1} << 24;  // a float counts its pixels

struct Affine {
  static constexpr bool two_axes = true;
  std::string part = "image";
  double translate = 0, rotate = 0, scale_low = 1, scale_high = 1, shear = 0, fill = 0;

  static void describe(Describe<Affine>& d) {
    d.doc("turns, moves, scales and slants a picture by random amounts");
    d.details(
        "Shapes: the part [H, W, C] of u8 or f32, of which H and W may vary; comes out as it goes in.\n"
        "Each amount is even over its range; a sample's random numbers decide it. One map from output to "
        "input about\n"
        "the picture's centre, bilinear between pixels.");
    d.field("part", &Affine::part).doc("part of the sample");
    d.field("translate", &Affine::translate).doc("farthest shift along each axis").unit("px").range(0, 1e6);
    d.field("rotate", &Affine::rotate).doc("farthest turn either way").unit("deg").range(0, 180);
    d.field("scale_low", &Affine::scale_low).doc("smallest factor of the size").above(0).at_most(1000);
    d.field("scale_high", &Affine::scale_high).doc("largest factor of the size").above(0).at_most(1000);
    d.field("shear", &Affine::shear)
        .doc("farthest slant of the upright axis either way")
        .unit("deg")
        .at_least(0)
        .below(90);
    d.field("fill", &Affine::fill).doc("value outside the picture");
  }
  void validate() const {
    if (scale_low > scale_high) throw Error("scale_low is ", scale_low, ", above scale_high ", scale_high);
  }
  void infer(Parts& parts) const {
    const PartSpec& image = parts.part(part);
    if (image.shape.size() != 3 || (image.dtype != DType::u8 && image.dtype != DType::f32)) {
      const plait_tensor_spec raw = image.c();
      throw Error("part \"", part, "\" is ", Spec(&raw), ", wanted [H, W, C] of u8 or f32");
    }
    if (image.shape[0] > kMostEdge || image.shape[1] > kMostEdge) {
      const plait_tensor_spec raw = image.c();
      throw Error("part \"", part, "\" is ", Spec(&raw), ", wanted edges of at most ", kMostEdge, " px");
    }
  }

  void apply(Context&, SampleCall& call) const {
    // All five are drawn whatever the ranges, so that changing one leaves the others as they were.
    constexpr double kRadians = 3.141592653589793 / 180;
    const double angle = call.random().uniform(-rotate, rotate) * kRadians;
    const double slant = call.random().uniform(-shear, shear) * kRadians;
    const double size = call.random().uniform(scale_low, scale_high);
    const double x = call.random().uniform(-translate, translate),
                 y = call.random().uniform(-translate, translate);
    if (angle == 0 && slant == 0 && size == 1 && x == 0 && y == 0) return;

    const auto [in, out] = call.part(part);
    call.same_extents(part);
    const int64_t height = call.extent(part, 0), width = call.extent(part, 1);
    const InverseMap map = inverse(angle, slant, size, x, y, height, width);
    if (in.dtype() == DType::u8) {
      draw<uint8_t>(in, out, height, width, map);
    } else {
      draw<float>(in, out, height, width, map);
    }
  }

 private:
  // Forward: rotation * shear * size about the centre, then the shift. Rows grow downwards: a positive angle
  // turns clockwise.
  static InverseMap inverse(double angle, double slant, double size, double x, double y, int64_t height,
                            int64_t width) {
    const double c = cosine(angle), s = sine(angle), t = sine(slant) / cosine(slant);
    // (rotation * shear)^-1 = [1 -t; 0 1] * [c s; -s c]
    const double xx = (c + t * s) / size, xy = (s - t * c) / size, yx = -s / size, yy = c / size;
    const double cx = static_cast<double>(width - 1) / 2, cy = static_cast<double>(height - 1) / 2;
    return {static_cast<float>(xx),
            static_cast<float>(xy),
            static_cast<float>(yx),
            static_cast<float>(yy),
            static_cast<float>(cx - xx * (cx + x) - xy * (cy + y)),
            static_cast<float>(cy - yx * (cx + x) - yy * (cy + y))};
  }
  template <class V>
  void draw(Tensor in, Tensor out, int64_t height, int64_t width, const InverseMap& map) const {
    const Picture<V> picture{in.data<V>().data(),
                             out.data<V>().data(),
                             static_cast<int>(height),
                             static_cast<int>(width),
                             static_cast<size_t>(in.shape(2)),
                             static_cast<size_t>(in.shape(1) * in.shape(2)),
                             static_cast<float>(fill)};
    picture.map(map);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.affine", "1.0.0", "Apache-2.0", augmenter<Affine>("plait.affine"));
