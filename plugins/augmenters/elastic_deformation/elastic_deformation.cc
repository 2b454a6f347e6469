// Pictures as if drawn on rubber.
#include <plait/noise.hpp>
#include <plait/picture_filter.hpp>

using namespace plait::sdk;

namespace {

// What lies outside of the picture is `fill`.
template <class V>
struct Sampler {
  const Picture<V>& picture;
  float fill;

  float at(int64_t row, int64_t column, size_t channel) const {
    const bool inside = row >= 0 && column >= 0 && row < static_cast<int64_t>(picture.height) &&
                        column < static_cast<int64_t>(picture.width);
    if (!inside) return fill;
    return static_cast<float>(picture.x[static_cast<size_t>(row) * picture.row +
                                        static_cast<size_t>(column) * picture.channels + channel]);
  }
  // Bilinear: the four pixels around (y, x), each by its nearness.
  void take(float y, float x, V* to) const {
    const float top = std::floor(y), left = std::floor(x), down = y - top, right = x - left;
    const auto height = static_cast<float>(picture.height), width = static_cast<float>(picture.width);
    if (top >= 0 && left >= 0 && top < height - 1 && left < width - 1) {
      const V* from =
          picture.x + static_cast<size_t>(top) * picture.row + static_cast<size_t>(left) * picture.channels;
      for (size_t c = 0; c < picture.channels; ++c, ++from) {
        const auto a = static_cast<float>(from[0]), b = static_cast<float>(from[picture.channels]),
                   d = static_cast<float>(from[picture.row]),
                   e = static_cast<float>(from[picture.row + picture.channels]);
        to[c] = mixed(a, b, d, e, down, right);
      }
      return;
    }
    // Beyond one pixel outside there is nothing but fill; this also keeps the conversion in range.
    if (!(top >= -1 && left >= -1 && top < height && left < width)) {
      std::fill_n(to, picture.channels, as_value<V>(fill));
      return;
    }
    const auto row = static_cast<int64_t>(top), column = static_cast<int64_t>(left);
    for (size_t c = 0; c < picture.channels; ++c)
      to[c] = mixed(at(row, column, c), at(row, column + 1, c), at(row + 1, column, c),
                    at(row + 1, column + 1, c), down, right);
  }
  static V mixed(float a, float b, float d, float e, float down, float right) {
    const float above = a + right * (b - a), below = d + right * (e - d);
    return as_value<V>(above + down * (below - above));
  }
};

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
    const Sampler<V> sampler{picture, static_cast<float>(fill) * kWhite<V>};
    for (size_t i = 0; i < picture.height; ++i) {
      V* const to = picture.y + i * picture.row;
      const float *const across = shifts + i * picture.width, *const down = across + pixels;
      for (size_t j = 0; j < picture.width; ++j)
        sampler.take(static_cast<float>(i) + down[j], static_cast<float>(j) + across[j],
                     to + j * picture.channels);
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.elastic_deformation", "1.0.0", "Apache-2.0",
             augmenter<ElasticDeformation>("plait.elastic_deformation"));
