// Pictures whose rows and columns are drawn apart here and pushed together there.
#include <plait/resample.hpp>

using namespace plait::sdk;

namespace {

constexpr size_t kMostCells = 100;

struct GridDistortion : PictureAmount<GridDistortion> {
  static constexpr double kLow = 0, kHigh = 0.3;
  int64_t cells = 5;

  static void describe(Describe<GridDistortion>& d) {
    d.doc("stretches some rows and columns of a picture's grid and shrinks others");
    d.details(
        "The picture is a grid of cells by cells. Each row of cells, and each column, becomes larger or "
        "smaller by an "
        "even share of\n"
        "up to the amount; all are then scaled so that they fill the picture again. Bilinear between "
        "pixels.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d, "smallest amount", "largest amount", 0, 0.95);
    d.field("cells", &GridDistortion::cells).doc("along each axis").range(1, kMostCells);
  }
  uint64_t picture_workspace(size_t height, size_t width, size_t) const {
    return (height + 2 * width) * sizeof(float);
  }

  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const double amount = draw(random);
    if (picture.pixels() == 0) return;
    auto* const rows = static_cast<float*>(picture.workspace);
    float *const columns = rows + picture.height, *const row = columns + picture.width;
    find_places(random, amount, picture.height, rows);
    find_places(random, amount, picture.width, columns);
    const Resampler<V> from(picture, 0);
    for (size_t i = 0; i < picture.height; ++i) {
      std::fill_n(row, picture.width, rows[i]);
      from.row(row, columns, picture.width, picture.y + i * picture.row);
    }
  }

 private:
  // Along one axis: cell k of the old picture, all of one size, lies between edges k and k + 1 of the new
  // one.
  void find_places(Random& random, double amount, size_t extent, float* places) const {
    double edges[kMostCells + 1] = {};
    const auto count = static_cast<size_t>(cells);
    for (size_t k = 0; k < count; ++k) edges[k + 1] = edges[k] + 1 + random.uniform(-amount, amount);
    const double last = static_cast<double>(extent) - 1, unit = last / edges[count];
    const double cell = last / static_cast<double>(count);
    size_t k = 0;
    for (size_t i = 0; i < extent; ++i) {
      const double at = static_cast<double>(i);
      while (k + 1 < count && edges[k + 1] * unit <= at) ++k;
      const double share = unit > 0 ? (at / unit - edges[k]) / (edges[k + 1] - edges[k]) : 0;
      places[i] = static_cast<float>(std::clamp((static_cast<double>(k) + share) * cell, 0.0, last));
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.grid_distortion", "1.0.0", "Apache-2.0",
             augmenter<GridDistortion>("plait.grid_distortion"));
