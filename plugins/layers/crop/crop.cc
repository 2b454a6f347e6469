// A part of the spatial axes.
#include <plait/spatial.hpp>

#include <algorithm>
#include <array>
#include <cstring>

using namespace plait::sdk;

namespace layers {
namespace {

struct Crop {
  static constexpr bool two_axes = true;
  std::vector<int64_t> size, offset;

  static void describe(Describe<Crop>& d) {
    d.doc("a part of the spatial axes: the middle, or from an offset on");
    d.details(
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y the same with the extents `size`. Up to "
        "two spatial axes of x\n"
        "may vary: the part is of what each sample has, and a sample that is too small is named when it is "
        "met.");
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

  void infer(LayerShapes& s) const {
    const SpatialAxes x(s.input());
    std::vector<int64_t> shape{s.input().shape(0)};
    for (int a = 0; a < x.count(); ++a) {
      const int64_t kept = x.value("size", size, a),
                    begin = offset.empty() ? middle(x.extent(a), kept) : x.value("offset", offset, a);
      if ((Checked(begin) + kept).value() > x.extent(a))
        throw Error("cannot keep ", kept, " from ", begin, " on of the ", x.extent(a), " along spatial axis ",
                    a);
      shape.push_back(kept);
    }
    shape.push_back(s.input().shape(-1));
    s.output(std::move(shape));
  }

  // The first place of `kept` in the middle of `extent`.
  static int64_t middle(int64_t extent, int64_t kept) { return std::max<int64_t>(extent - kept, 0) / 2; }

  class Kernel;
};

class Crop::Kernel {
 public:
  Kernel(const Crop& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : batch_(static_cast<size_t>(r.input().shape(0))), channels_(static_cast<size_t>(r.input().shape(-1))) {
    const SpatialAxes axes(r.input());
    leading_ = 3 - axes.count();
    for (int a = 0; a < axes.count(); ++a) {
      const auto i = static_cast<size_t>(leading_ + a);
      whole_[i] = static_cast<size_t>(axes.extent(a));
      kept_[i] = static_cast<size_t>(axes.value("size", config.size, a));
      if (!config.offset.empty()) offset_[i] = axes.value("offset", config.offset, a);
    }
    n.backward_reads(Reads::nothing);
    n.accumulates();
  }

  void forward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    c.parallel_for(batch_, grain(), [&](size_t n) {
      const size_t whole = n * elements(whole_), part = n * elements(kept_);
      each_line(begin_of(call.input(), n), [&](size_t from, size_t to) {
        std::memcpy(y + part + to, x + whole + from, line() * sizeof(float));
      });
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const float* dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(batch_, grain(), [&](size_t n) {
      const size_t whole = n * elements(whole_), part = n * elements(kept_);
      if (!call.accumulate()) std::fill_n(dx + whole, elements(whole_), 0.0f);
      each_line(begin_of(call.input_gradient(), n), [&](size_t to, size_t from) {
        for (size_t i = 0; i < line(); ++i) dx[whole + to + i] += dy[part + from + i];
      });
    });
  }

 private:
  using Places = std::array<size_t, 3>;  // along D, H, W

  size_t elements(const Places& extents) const { return extents[0] * extents[1] * extents[2] * channels_; }
  size_t line() const { return kept_[2] * channels_; }
  size_t grain() const { return 1 + Context::kDefaultGrain / (elements(whole_) + elements(kept_) + 1); }

  // Where the part of sample n begins.
  Places begin_of(const Tensor& x, size_t n) const {
    Places begin = {0, 0, 0};
    for (int a = 0; a < 3 - leading_; ++a) {
      const auto i = static_cast<size_t>(leading_ + a);
      const int64_t extent = x.extent(n, a + 1);
      begin[i] = static_cast<size_t>(offset_[i] == kMiddle ? middle(extent, static_cast<int64_t>(kept_[i]))
                                                           : offset_[i]);
      if (begin[i] + kept_[i] > static_cast<size_t>(extent))
        throw Error("sample ", n, " of the batch: cannot keep ", kept_[i], " from ", begin[i], " on of its ",
                    extent, " along spatial axis ", a);
    }
    return begin;
  }
  // body(first element of a line of the whole, of the part)
  template <class Body>
  void each_line(const Places& begin, const Body& body) const {
    size_t at = 0;
    for (size_t d = 0; d < kept_[0]; ++d)
      for (size_t h = 0; h < kept_[1]; ++h, at += line())
        body((((begin[0] + d) * whole_[1] + begin[1] + h) * whole_[2] + begin[2]) * channels_, at);
  }

  static constexpr int64_t kMiddle = -1;

  size_t batch_, channels_;
  int leading_ = 0;  // axes that are missing: 1
  Places whole_ = {1, 1, 1}, kept_ = {1, 1, 1};
  std::array<int64_t, 3> offset_ = {kMiddle, kMiddle, kMiddle};
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.crop_layer", "1.0.0", "Apache-2.0", layer<layers::Crop>("plait.crop"));
