// Means of windows that follow from the extents wanted.
#include <plait/spatial.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct AdaptiveAveragePool : SpatialLayer<AdaptiveAveragePool> {
  std::vector<int64_t> size;

  static void describe(Describe<AdaptiveAveragePool>& d) {
    d.doc("means of as many windows as are wanted, whatever the extents of the input");
    d.details(
        "y[o] is the mean of x[floor(o I / O)] to x[ceil((o + 1) I / O) - 1] along each axis, of I inputs "
        "and\n"
        "O outputs; windows overlap where O does not divide I.\n"
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y the same with the extents `size`.");
    d.field("size", &AdaptiveAveragePool::size)
        .doc("extents of the output: one for all axes, or one per axis")
        .range(1, kMostExtent)
        .unit("px")
        .required();
  }

  int64_t extent(const SpatialAxes& x, int axis) const { return x.value("size", size, axis); }

  AxisTaps taps(const SpatialAxes& x, int axis) const {
    AxisTaps made;
    const int64_t in = x.extent(axis), out = extent(x, axis);
    std::vector<AxisTaps::Tap> window;
    for (int64_t o = 0; o < out; ++o) {
      const int64_t begin = (Checked(o) * in).value() / out, end = ceil_div((Checked(o) + 1) * in, out);
      window.clear();
      for (int64_t i = begin; i < end; ++i)
        window.push_back({i, static_cast<float>(1.0 / static_cast<double>(end - begin))});
      made.output(window);
    }
    return made;
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.adaptive_average_pool", "1.0.0", "Apache-2.0",
             layer<layers::AdaptiveAveragePool>("plait.adaptive_average_pool"));
