// Pictures as if drawn on rubber.
#include <plait/noise.hpp>
#include <plait/picture_filter.hpp>
#include <plait/resample.hpp>

using namespace plait::sdk;

namespace {

struct ElasticDeformation : PictureAmount<ElasticDeformation> {
  static constexpr double kLow = 0, kHigh = 1;
  double smoothness = 4, fill = 0;

  static void describe(Describe<ElasticDeformation>& d) {
    d.doc("moves each pixel of a picture by a random amount that is alike for neighbours");
    d.details(
        "Shifts along each axis are normal noise, smoothed by a gaussian and scaled so that their root mean "
        "square is the "
        "amount that\n"
        "is drawn for the sample; bilinear between pixels.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.\n"
        "Source: Simard, Steinkraus, Platt 2003, section 2, whose alpha / sigma are amount and smoothness.");
    fields(d, "smallest shift, root mean square", "largest shift", 0, 1000, "px");
    d.field("smoothness", &ElasticDeformation::smoothness)
        .doc("standard deviation of the gaussian: how far shifts are alike")
        .range(0.1, 50)
        .unit("px");
    d.field("fill", &ElasticDeformation::fill)
        .doc("what lies outside of the picture, as a share of white")
        .range(0, 1);
  }

  // The shifts, those of rows behind those of columns, and the filter's.
  uint64_t picture_workspace(size_t height, size_t width, size_t) const {
    return 2 * height * width * sizeof(float) +
           filter_workspace(height, width, 1, gaussian_radius(smoothness));
  }

  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const double amount = draw(random);
    const size_t pixels = picture.pixels();
    auto* const shifts = static_cast<float*>(picture.workspace);
    fill_normals(random.split(0), shifts, 2 * pixels);
    std::array<float, 301> room;  // of the largest smoothness that the field takes
    const std::span<const float> taps = gaussian_taps(smoothness, room);
    // A sum of independent noise has the sum of its squared weights: along rows, then along columns.
    double squares = 0;
    for (const float tap : taps) squares += static_cast<double>(tap) * tap;
    const auto scale = static_cast<float>(amount / squares);
    for (size_t axis = 0; axis < 2; ++axis) {
      float* const plane = shifts + axis * pixels;
      // A row is stored after all that want it as it was have taken it: rows are taken ahead.
      filter_rows(
          picture.height, picture.width, 1, taps, shifts + 2 * pixels,
          [&](size_t i) { return plane + i * picture.width; },
          [&](size_t i, const float* sum) {
            detail::weigh(sum, scale, plane + i * picture.width, picture.width);
          });
    }
    const Resampler<V> from(picture, static_cast<float>(fill) * kWhite<V>);
    for (size_t i = 0; i < picture.height; ++i) {
      float *const x = shifts + i * picture.width, *const y = x + pixels;
      add_places(x, y, picture.width, static_cast<float>(i));
      from.row(y, x, picture.width, picture.y + i * picture.row);
    }
  }

 private:
  PLAIT_FAST static void add_places(float* x, float* y, size_t count, float row) {
    for (size_t j = 0; j < count; ++j) {
      x[j] += static_cast<float>(static_cast<int32_t>(j));
      y[j] += row;
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.elastic_deformation", "1.0.0", "Apache-2.0",
             augmenter<ElasticDeformation>("plait.elastic_deformation"));
