// More numbers along the spatial axes: repeated, or on lines between neighbours.
#include <plait/spatial.hpp>

#include <optional>

#include "resampling.hpp"

using namespace plait::sdk;

namespace layers {
namespace {

enum class Mode { kNearest, kBilinear };

struct Upsample : SpatialLayer<Upsample> {
  std::vector<int64_t> factor = {2};
  Mode mode = Mode::kNearest;
  std::string implementation = "auto";

  static void describe(Describe<Upsample>& d) {
    d.doc("enlarges the spatial axes by whole factors");
    d.details(
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y with extents factor times as large.\n"
        "nearest: y[o] = x[floor(o / factor)] along each axis. bilinear: y[o] lies at (o + 1 / 2) / factor "
        "-\n"
        "1 / 2, on the line between the two inputs there, at the border on the last one; so along each "
        "axis,\n"
        "also of one or of three.");
    d.field("factor", &Upsample::factor).doc("one for all axes, or one per axis").range(1, 1024);
    d.field("mode", &Upsample::mode)
        .doc("nearest repeats each number, bilinear draws lines between neighbours")
        .choices({"nearest", "bilinear"});
    d.field("implementation", &Upsample::implementation)
        .doc("whose loops; auto: own (README.md has the figures)")
        .choices({"auto", "onednn", "own"});
  }

  int64_t extent(const SpatialAxes& x, int axis) const {
    return Checked(x.extent(axis)) * x.value("factor", factor, axis);
  }

  // What lies past a sample's extent is repeated as far past that of its output; a line would lead there.
  AxisReach reach(const SpatialAxes& x, int axis) const {
    if (mode == Mode::kBilinear)
      throw Error("axis ", axis + 1, " of the input varies, wanted fixed extents, or mode nearest");
    return {x.value("factor", factor, axis), 0};
  }

  AxisTaps taps(const SpatialAxes& x, int axis) const {
    AxisTaps made;
    const int64_t f = x.value("factor", factor, axis);
    for (int64_t o = 0; o < x.extent(axis) * f; ++o) {
      if (mode == Mode::kNearest) {
        made.output({{o / f, 1}});
      } else {
        between(o, f, x.extent(axis), made);
      }
    }
    return made;
  }

  class Kernel;

 private:
  // In halves of a step of y, so that it is exact: the place of x is (2 o + 1 - f) / (2 f).
  static void between(int64_t o, int64_t f, int64_t extent, AxisTaps& made) {
    const int64_t place = std::max<int64_t>(2 * o + 1 - f, 0), low = place / (2 * f);
    const double part = static_cast<double>(place % (2 * f)) / static_cast<double>(2 * f);
    if (part == 0 || low + 1 >= extent) {
      made.output({{std::min(low, extent - 1), 1}});
    } else {
      made.output({{low, static_cast<float>(1 - part)}, {low + 1, static_cast<float>(part)}});
    }
  }
};

class Upsample::Kernel {
 public:
  Kernel(const Upsample& config, Context& c, const LayerRequest& r, LayerNeeds& n) {
    const KernelNotes notes(c);
    if (config.implementation == "auto") notes.chose("implementation", "own");
    if (config.implementation == "onednn") {
      onednn_.emplace(config.mode == Mode::kNearest ? dnnl::algorithm::resampling_nearest
                                                    : dnnl::algorithm::resampling_linear,
                      r, n);
      onednn_->note(notes);
    } else {
      own_.emplace(config, c, r, n);
    }
  }
  void forward(Context& c, const LayerCall& call) const {
    onednn_ ? onednn_->forward(call) : own_->forward(c, call);
  }
  void backward(Context& c, const LayerCall& call) const {
    onednn_ ? onednn_->backward(call) : own_->backward(c, call);
  }

 private:
  std::optional<Resampling> onednn_;
  std::optional<SpatialLayer<Upsample>::Kernel> own_;
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.upsample", "1.0.0", "Apache-2.0", layer<layers::Upsample>("plait.upsample"),
             numerics(&onednn_facts));
