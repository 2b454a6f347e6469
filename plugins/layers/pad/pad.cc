// Adds numbers around the spatial axes.
#include <plait/spatial.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

enum class Mode { kConstant, kEdge, kReflect };

struct Pad : SpatialLayer<Pad> {
  std::vector<int64_t> before = {0}, after;
  Mode mode = Mode::kConstant;
  double value = 0;

  static void describe(Describe<Pad>& d) {
    d.doc("adds numbers around the spatial axes");
    d.details(
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y with extents before + input + after.\n"
        "constant: `value`; edge: the number at the border; reflect: as seen in a mirror at the border, "
        "which\n"
        "is not shown twice, of less than the extent.");
    d.field("before", &Pad::before)
        .doc("how many before the first: one for all axes, or one per axis")
        .range(0, kMostExtent)
        .unit("px");
    d.field("after", &Pad::after)
        .doc("how many after the last; as before when not given")
        .range(0, kMostExtent)
        .unit("px");
    d.field("mode", &Pad::mode).doc("what is added").choices({"constant", "edge", "reflect"});
    d.field("value", &Pad::value).doc("what is added by constant").range(-1e30, 1e30);
  }

  int64_t extent(const SpatialAxes& x, int axis) const {
    const int64_t most = std::max(left(x, axis), right(x, axis));
    if (mode == Mode::kReflect && most >= x.extent(axis)) {
      throw Error("cannot reflect ", most, " of ", x.extent(axis), " along spatial axis ", axis,
                  ": wanted less than there are");
    }
    return Checked(x.extent(axis)) + left(x, axis) + right(x, axis);
  }

  // After a sample are zeros already.
  AxisReach reach(const SpatialAxes& x, int axis) const {
    if (mode != Mode::kConstant || value != 0)
      throw Error("axis ", axis + 1,
                  " of the input varies, wanted fixed extents, or mode constant of value 0");
    return {1, left(x, axis) + right(x, axis)};
  }

  AxisTaps taps(const SpatialAxes& x, int axis) const {
    AxisTaps made;
    const int64_t first = -left(x, axis), end = x.extent(axis) + right(x, axis);
    for (int64_t i = first; i < end; ++i) {
      if (mode == Mode::kConstant && (i < 0 || i >= x.extent(axis))) {
        made.output({});
      } else {
        made.output({{source(i, x.extent(axis)), 1}});
      }
    }
    return made;
  }

  float fill() const { return static_cast<float>(value); }

 private:
  int64_t left(const SpatialAxes& x, int axis) const { return x.value("before", before, axis); }
  int64_t right(const SpatialAxes& x, int axis) const {
    return after.empty() ? left(x, axis) : x.value("after", after, axis);
  }
  // Where the number at place i, which may be outside, comes from.
  int64_t source(int64_t i, int64_t extent) const {
    if (mode == Mode::kReflect) return i < 0 ? -i : i >= extent ? 2 * (extent - 1) - i : i;
    return std::clamp<int64_t>(i, 0, extent - 1);
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.pad", "1.0.0", "Apache-2.0", layer<layers::Pad>("plait.pad"));
