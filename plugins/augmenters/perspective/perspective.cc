// Pictures as if seen from aside.
#include <plait/resample.hpp>

using namespace plait::sdk;

namespace {

// (x, y) -> ((a x + b y + c) / w, (d x + e y + f) / w), w = g x + h y + i.
struct Homography {
  double a, b, c, d, e, f, g, h, i;

  // Where corners (0, 0), (1, 0), (1, 1), (0, 1) of the unit square go. Source: Heckbert 1989, section 2.2.3.
  static Homography of_square(const double (&x)[4], const double (&y)[4]) {
    const double x1 = x[1] - x[2], x2 = x[3] - x[2], y1 = y[1] - y[2], y2 = y[3] - y[2];
    const double sx = x[0] - x[1] + x[2] - x[3], sy = y[0] - y[1] + y[2] - y[3];
    const double all = x1 * y2 - x2 * y1, g = (sx * y2 - x2 * sy) / all, h = (x1 * sy - sx * y1) / all;
    return {x[1] - x[0] + g * x[1],
            x[3] - x[0] + h * x[3],
            x[0],
            y[1] - y[0] + g * y[1],
            y[3] - y[0] + h * y[3],
            y[0],
            g,
            h,
            1};
  }
  // But for a factor, which divides out.
  Homography inverse() const {
    return {e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g,
            c * d - a * f, d * h - e * g, b * g - a * h, a * e - b * d};
  }
};

// Where a row of new pixels comes from: numerators and denominator begin with what the row gives them. Behind
// the horizon lies nothing.
PLAIT_FAST void find_row(float x_step, float x_begin, float y_step, float y_begin, float w_step,
                         float w_begin, size_t count, float* x, float* y) {
  constexpr float kOutside = -2, kLeast = 1e-6f;
  for (size_t j = 0; j < count; ++j) {
    const auto at = static_cast<float>(static_cast<int32_t>(j));
    const float w = w_step * at + w_begin, u = x_step * at + x_begin, v = y_step * at + y_begin;
    const float share = 1 / chosen(w > kLeast, w, 1.0f);
    x[j] = chosen(w > kLeast, u * share, kOutside);
    y[j] = chosen(w > kLeast, v * share, kOutside);
  }
}

struct Perspective : PictureAmount<Perspective> {
  static constexpr double kLow = 0, kHigh = 0.5;
  double fill = 0;

  static void describe(Describe<Perspective>& d) {
    d.doc("moves the corners of a picture inwards, each by a random way, as if it were seen from aside");
    d.details(
        "Each corner moves along each axis by an even share, up to the amount, of half the picture; bilinear "
        "between pixels.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in. "
        "One "
        "of a single row\n"
        "or column stays as it is.\n"
        "Source: Heckbert 1989, \"Fundamentals of Texture Mapping and Image Warping\", section 2.2.3.");
    fields(d, "smallest amount", "largest amount", 0, 0.95);
    d.field("fill", &Perspective::fill)
        .doc("what lies outside of the picture, as a share of white")
        .range(0, 1);
  }
  uint64_t picture_workspace(size_t, size_t width, size_t) const { return 2 * width * sizeof(float); }

  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const double amount = draw(random);
    if (picture.height < 2 || picture.width < 2 || amount == 0) return picture.copy();
    const auto right = static_cast<double>(picture.width - 1),
               below = static_cast<double>(picture.height - 1);
    double x[4] = {0, right, right, 0}, y[4] = {0, 0, below, below};
    for (size_t k = 0; k < 4; ++k) {
      x[k] += (x[k] == 0 ? 1 : -1) * random.uniform(0, amount) * right / 2;
      y[k] += (y[k] == 0 ? 1 : -1) * random.uniform(0, amount) * below / 2;
    }
    const Homography square = Homography::of_square(x, y), back = square.inverse();
    // Scaled so that w is 1 in the middle of the square's picture, and above 0 on the side that is seen.
    const double middle_w = square.g / 2 + square.h / 2 + 1;
    const double middle_x = (square.a / 2 + square.b / 2 + square.c) / middle_w;
    const double middle_y = (square.d / 2 + square.e / 2 + square.f) / middle_w;
    const double unit = 1 / (back.g * middle_x + back.h * middle_y + back.i);
    auto* const columns = static_cast<float*>(picture.workspace);
    float* const rows = columns + picture.width;
    const Resampler<V> from(picture, static_cast<float>(fill) * kWhite<V>);
    for (size_t i = 0; i < picture.height; ++i) {
      const auto row = static_cast<double>(i);
      find_row(number(back.a * right * unit), number((back.b * row + back.c) * right * unit),
               number(back.d * below * unit), number((back.e * row + back.f) * below * unit),
               number(back.g * unit), number((back.h * row + back.i) * unit), picture.width, columns, rows);
      from.row(rows, columns, picture.width, picture.y + i * picture.row);
    }
  }

 private:
  static float number(double x) { return static_cast<float>(x); }
};

}  // namespace

PLAIT_PLUGIN("plait.perspective", "1.0.0", "Apache-2.0", augmenter<Perspective>("plait.perspective"));
