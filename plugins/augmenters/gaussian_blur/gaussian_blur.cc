// Pictures out of focus.
#include <plait/picture.hpp>
#include <plait/picture_filter.hpp>

using namespace plait::sdk;

namespace {

struct GaussianBlur : PictureAmount<GaussianBlur> {
  static constexpr double kLow = 0.1, kHigh = 2;

  static void describe(Describe<GaussianBlur>& d) {
    d.doc("smooths a picture by a gaussian of random width");
    d.details(
        "Each value becomes the mean of those around it, weighted by exp(-d^2 / (2 deviation^2)) up to a "
        "distance of 3 deviations\n"
        "along each axis; beyond the edge lies the picture's reflection, without the edge itself.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d, "smallest standard deviation", "largest standard deviation", 0.01, 100, "px");
  }

  uint64_t picture_workspace(size_t height, size_t width, size_t channels) const {
    return filter_workspace(height, width, channels, gaussian_radius(high));
  }
  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    std::array<float, 601> taps;  // of the largest deviation that the fields take
    filter_both_ways(picture, gaussian_taps(draw(random), taps));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.gaussian_blur", "1.0.0", "Apache-2.0", augmenter<GaussianBlur>("plait.gaussian_blur"));
