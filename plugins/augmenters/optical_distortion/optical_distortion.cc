// Pictures as a lens bends them.
#include <plait/resample.hpp>

using namespace plait::sdk;

namespace {

// Places of a row: farther from the middle, or nearer, by a share that grows with the squared distance.
PLAIT_FAST void find_row(float middle_x, float middle_y, float down, float factor, size_t count, float* x,
                         float* y) {
  for (size_t j = 0; j < count; ++j) {
    const float right = static_cast<float>(static_cast<int32_t>(j)) - middle_x;
    const float more = factor * (right * right + down * down);
    x[j] = middle_x + (right + right * more);
    y[j] = middle_y + (down + down * more);
  }
}

struct OpticalDistortion : PictureAmount<OpticalDistortion> {
  static constexpr double kLow = -0.2, kHigh = 0.2;
  double fill = 0;

  static void describe(Describe<OpticalDistortion>& d) {
    d.doc("bends a picture as lenses do: like a barrel where the amount is above 0, else like a pincushion");
    d.details(
        "A pixel at the distance r from the middle comes from r (1 + amount r^2), where the corners are at "
        "1; "
        "bilinear between\n"
        "pixels.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.\n"
        "Source: Brown 1966, \"Decentering Distortion of Lenses\", the first radial term.");
    fields(d, "smallest amount", "largest amount", -1, 10);
    d.field("fill", &OpticalDistortion::fill)
        .doc("what lies outside of the picture, as a share of white")
        .range(0, 1);
  }
  uint64_t picture_workspace(size_t, size_t width, size_t) const { return 2 * width * sizeof(float); }

  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const double amount = draw(random);
    if (picture.pixels() < 2 || amount == 0) return picture.copy();
    const double x = static_cast<double>(picture.width - 1) / 2,
                 y = static_cast<double>(picture.height - 1) / 2;
    const auto factor = static_cast<float>(amount / (x * x + y * y));
    auto* const columns = static_cast<float*>(picture.workspace);
    float* const rows = columns + picture.width;
    const Resampler<V> from(picture, static_cast<float>(fill) * kWhite<V>);
    for (size_t i = 0; i < picture.height; ++i) {
      find_row(static_cast<float>(x), static_cast<float>(y), static_cast<float>(static_cast<double>(i) - y),
               factor, picture.width, columns, rows);
      from.row(rows, columns, picture.width, picture.y + i * picture.row);
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.optical_distortion", "1.0.0", "Apache-2.0",
             augmenter<OpticalDistortion>("plait.optical_distortion"));
