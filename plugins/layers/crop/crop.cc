// A part of the spatial axes.
#include <plait/spatial.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct Crop : SpatialLayer<Crop> {
  std::vector<int64_t> size, offset;

  static void describe(Describe<Crop>& d) {
    d.doc("a part of the spatial axes: the middle, or from an offset on");
    d.details(
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y the same with the extents `size`.");
    d.field("size", &Crop::size)
        .doc("extents that are kept: one for all axes, or one per axis")
        .range(1, kMostExtent)
        .unit("px")
        .required();
    d.field("offset", &Crop::offset)
        .doc(
            "the first that is kept; when not given, so that as many are left out after as before, or one "
            "more")
        .range(0, kMostExtent)
        .unit("px");
  }

  int64_t extent(const SpatialAxes& x, int axis) const {
    const int64_t kept = x.value("size", size, axis);
    if (kept > x.extent(axis) || (Checked(first(x, axis)) + kept).value() > x.extent(axis)) {
      throw Error("cannot keep ", kept, " from ", first(x, axis), " on of the ", x.extent(axis),
                  " along spatial axis ", axis);
    }
    return kept;
  }

  AxisTaps taps(const SpatialAxes& x, int axis) const {
    AxisTaps made;
    for (int64_t o = 0; o < extent(x, axis); ++o) made.output({{first(x, axis) + o, 1}});
    return made;
  }

 private:
  int64_t first(const SpatialAxes& x, int axis) const {
    if (!offset.empty()) return x.value("offset", offset, axis);
    return std::max<int64_t>(x.extent(axis) - x.value("size", size, axis), 0) / 2;
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.crop_layer", "1.0.0", "Apache-2.0", layer<layers::Crop>("plait.crop"));
