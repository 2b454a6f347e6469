// Layers that make each number of numbers of the same channel nearby, one axis at a time: padding, cropping,
// upsampling, adaptive means. All that is left to write is which numbers, along one axis. Optional; sdk.hpp
// does not include it.
//
//   struct Mirror : SpatialLayer<Mirror> {  // from right to left
//     static void describe(Describe<Mirror>& d) { d.doc("turns a picture round"); }
//     int64_t extent(const SpatialAxes& x, int axis) const { return x.extent(axis); }
//     AxisTaps taps(const SpatialAxes& x, int axis) const {
//       AxisTaps made;
//       for (int64_t o = 0; o < x.extent(axis); ++o) made.output({{x.extent(axis) - 1 - o, 1}});
//       return made;
//     }
//   };
//   PLAIT_PLUGIN("acme.mirror", "1.0.0", "Apache-2.0", layer<Mirror>("acme.mirror"));
//
// Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y with other extents of D, H, W.
// Along axes that vary a layer has to say how far its samples reach, as 0 is what lies past their extents:
//   AxisReach reach(const SpatialAxes& x, int axis) const;  // throws Error where that is not so
// Fails with: kInvalid for another input, one of extent 0 along a spatial axis, and one whose extents vary
// where the layer has no reach.
// Threads: [any]
#pragma once
#include <plait/sdk.hpp>
#include <plait/sdk/checked.hpp>
#include <plait/sdk/fast.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

namespace plait::sdk {

// The axes between N and C, counted from 0.
class SpatialAxes {
 public:
  explicit SpatialAxes(Spec x) : x_(x) {
    if (x.dtype() != DType::f32 || x.rank() < 3 || x.rank() > 5)
      throw Error("input is ", x, ", wanted f32 [N, W, C], [N, H, W, C] or [N, D, H, W, C]");
    if (x.varies(x.rank() - 1)) throw Error("the channels of the input vary, wanted a fixed number");
    for (int a = 0; a < count(); ++a)
      if (extent(a) < 1) throw Error("axis ", a + 1, " of the input is ", extent(a), ", wanted at least 1");
  }
  int count() const { return x_.rank() - 2; }
  int64_t extent(int axis) const { return x_.shape(axis + 1); }
  bool varies(int axis) const { return x_.varies(axis + 1); }
  // Of a field that holds one value for all axes or one per axis.
  int64_t value(const char* field, std::span<const int64_t> list, int axis) const {
    if (list.size() != 1 && list.size() != static_cast<size_t>(count()))
      throw Error(field, " has ", list.size(), " values, wanted 1, or ", count(), ", one per axis");
    return list[list.size() == 1 ? 0 : static_cast<size_t>(axis)];
  }

 private:
  Spec x_;
};

// Along an axis that varies: of a sample that reaches e far, the output reaches multiply e + add.
struct AxisReach {
  int64_t multiply = 1, add = 0;
};

// Along one axis: which inputs make an output, and with which weights.
class AxisTaps {
 public:
  struct Tap {
    int64_t input;
    float weight;
  };
  // The next output; without taps it is the layer's fill.
  void output(std::initializer_list<Tap> taps) { output(std::span(taps.begin(), taps.size())); }
  void output(std::span<const Tap> taps) {
    taps_.insert(taps_.end(), taps.begin(), taps.end());
    ends_.push_back(taps_.size());
  }
  size_t outputs() const { return ends_.size(); }
  std::span<const Tap> of(size_t output) const {
    const size_t begin = output == 0 ? 0 : ends_[output - 1];
    return {taps_.data() + begin, ends_[output] - begin};
  }

 private:
  std::vector<Tap> taps_;
  std::vector<size_t> ends_;
};

namespace detail {

// to = a from, to += a from
PLAIT_FAST inline void set_scaled(const float* from, float a, float* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = a * from[i];
}
PLAIT_FAST inline void add_scaled(const float* from, float a, float* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] += a * from[i];
}

}  // namespace detail

// The taps of all axes, on one sample at a time.
class SpatialMap {
 public:
  // axes: one for each of x's, in its order.
  SpatialMap(Spec x, std::vector<AxisTaps> axes) : channels_(static_cast<size_t>(x.shape(-1))) {
    AxisTaps whole;
    whole.output({{0, 1}});
    const int count = x.rank() - 2;
    for (int a = 0; a < 3; ++a) {
      const int axis = a - (3 - count);  // missing leading axes are 1
      extents_[static_cast<size_t>(a)] = axis < 0 ? 1 : static_cast<size_t>(x.shape(axis + 1));
      taps_[static_cast<size_t>(a)] = axis < 0 ? whole : std::move(axes[static_cast<size_t>(axis)]);
    }
    find_runs();
  }
  size_t channels() const { return channels_; }
  size_t sample_inputs() const { return extents_[0] * extents_[1] * extents_[2] * channels_; }
  size_t sample_outputs() const {
    return taps_[0].outputs() * taps_[1].outputs() * taps_[2].outputs() * channels_;
  }

  // row [channels] is written.
  void forward(const float* x, float* y, float fill, float* row) const {
    each_row([&](std::span<const Tap> d, std::span<const Tap> h, size_t at) {
      float* const to = y + at * channels_;
      if (copies(d) && copies(h)) {
        copy_row(x + line(d[0], h[0]), to, fill);
      } else {
        for (size_t w = 0; w < taps_[2].outputs(); ++w) sum(x, d, h, w, fill, row, to + w * channels_);
      }
    });
  }

  // dx is written, or added to.
  void backward(const float* dy, float* dx, bool accumulate) const {
    if (!accumulate) std::fill_n(dx, sample_inputs(), 0.0f);
    each_row([&](std::span<const Tap> d, std::span<const Tap> h, size_t at) {
      const float* const from = dy + at * channels_;
      for (const Tap& i : d)
        for (const Tap& j : h)
          for (size_t w = 0; w < taps_[2].outputs(); ++w)
            for (const Tap& k : taps_[2].of(w))
              detail::add_scaled(from + w * channels_, i.weight * j.weight * k.weight,
                                 dx + line(i, j) + static_cast<size_t>(k.input) * channels_, channels_);
    });
  }

 private:
  using Tap = AxisTaps::Tap;
  // Outputs along the last axis that are `count` inputs beside each other.
  struct Run {
    size_t input, count;
  };

  // body(taps along D, along H, place of the first output)
  template <class Body>
  void each_row(const Body& body) const {
    size_t at = 0;
    for (size_t d = 0; d < taps_[0].outputs(); ++d)
      for (size_t h = 0; h < taps_[1].outputs(); ++h, at += taps_[2].outputs())
        body(taps_[0].of(d), taps_[1].of(h), at);
  }
  size_t line(const Tap& d, const Tap& h) const {
    return (static_cast<size_t>(d.input) * extents_[1] + static_cast<size_t>(h.input)) * extents_[2] *
           channels_;
  }

  static bool copies(std::span<const Tap> taps) { return taps.size() == 1 && taps[0].weight == 1; }
  void find_runs() {
    runs_.resize(taps_[2].outputs(), {0, 0});
    for (size_t w = runs_.size(); w-- > 0;) {
      const auto taps = taps_[2].of(w);
      if (!copies(taps)) continue;
      const auto input = static_cast<size_t>(taps[0].input);
      const bool goes_on = w + 1 < runs_.size() && runs_[w + 1].count > 0 && runs_[w + 1].input == input + 1;
      runs_[w] = {input, goes_on ? runs_[w + 1].count + 1 : 1};
    }
  }

  void copy_row(const float* x, float* y, float fill) const {
    for (size_t w = 0; w < runs_.size();) {
      const Run& run = runs_[w];
      if (run.count == 0) sum_line(x, taps_[2].of(w), fill, y + w * channels_);
      std::memcpy(y + w * channels_, x + run.input * channels_, run.count * channels_ * sizeof(float));
      w += std::max<size_t>(run.count, 1);
    }
  }
  void sum_line(const float* x, std::span<const Tap> taps, float fill, float* y) const {
    if (taps.empty()) return static_cast<void>(std::fill_n(y, channels_, fill));
    detail::set_scaled(x + static_cast<size_t>(taps[0].input) * channels_, taps[0].weight, y, channels_);
    for (const Tap& tap : taps.subspan(1))
      detail::add_scaled(x + static_cast<size_t>(tap.input) * channels_, tap.weight, y, channels_);
  }
  // Lines are summed before they are added: so that of many taps few are added to a large sum.
  void sum(const float* x, std::span<const Tap> d, std::span<const Tap> h, size_t w, float fill, float* row,
           float* y) const {
    const auto taps = taps_[2].of(w);
    const bool empty = d.empty() || h.empty() || taps.empty();
    std::fill_n(y, channels_, empty ? fill : 0.0f);
    if (empty) return;
    for (const Tap& i : d)
      for (const Tap& j : h) {
        sum_line(x + line(i, j), taps, fill, row);
        detail::add_scaled(row, i.weight * j.weight, y, channels_);
      }
  }

  size_t channels_;
  std::array<size_t, 3> extents_;
  std::array<AxisTaps, 3> taps_;
  std::vector<Run> runs_;  // by output along the last axis; count 0: not a copy
};

// Self has `int64_t extent(const SpatialAxes& x, int axis) const`, the output's, which throws Error where
// the input does not fit, and `AxisTaps taps(const SpatialAxes& x, int axis) const` of so many outputs; and
// may have `float fill() const` and `AxisReach reach(const SpatialAxes& x, int axis) const`.
template <class Self>
struct SpatialLayer {
  static constexpr bool two_axes = true;

  void infer(LayerShapes& s) const {
    const SpatialAxes x(s.input());
    std::vector<int64_t> shape{s.input().shape(0)};
    for (int a = 0; a < x.count(); ++a) shape.push_back(static_cast<const Self*>(this)->extent(x, a));
    shape.push_back(s.input().shape(-1));
    PartSpec& y = s.output(std::move(shape));
    y.variable_axis = s.input().variable_axis(), y.second_axis = s.input().second_axis();
    for (int a = 0; a < x.count(); ++a)
      if (x.varies(a)) infer_reach(s, x, a);
  }

  class Kernel {
   public:
    Kernel(const Self& config, Context&, const LayerRequest& r, LayerNeeds& n)
        : map_(r.input(), taps_of(config, r.input())), batch_(static_cast<size_t>(r.input().shape(0))) {
      if constexpr (requires { config.fill(); }) fill_ = config.fill();
      n.backward_reads(Reads::nothing);
      n.accumulates();
      n.workspace(Checked(batch_) * map_.channels() * sizeof(float));
    }

    void forward(Context& c, const LayerCall& call) const {
      const float* x = call.input().f32().data();
      float *y = call.output().f32().data(), *rows = call.workspace<float>();
      c.parallel_for(batch_, grain(), [&](size_t n) {
        map_.forward(x + n * map_.sample_inputs(), y + n * map_.sample_outputs(), fill_,
                     rows + n * map_.channels());
      });
    }
    void backward(Context& c, const LayerCall& call) const {
      if (!call.input_gradient()) return;
      const float* dy = call.output_gradient().f32().data();
      float* dx = call.input_gradient().f32().data();
      c.parallel_for(batch_, grain(), [&](size_t n) {
        map_.backward(dy + n * map_.sample_outputs(), dx + n * map_.sample_inputs(), call.accumulate());
      });
    }

   private:
    static std::vector<AxisTaps> taps_of(const Self& config, Spec input) {
      const SpatialAxes x(input);
      std::vector<AxisTaps> made;
      for (int a = 0; a < x.count(); ++a) made.push_back(config.taps(x, a));
      return made;
    }
    size_t grain() const {
      return 1 + Context::kDefaultGrain / (map_.sample_inputs() + map_.sample_outputs() + 1);
    }

    SpatialMap map_;
    size_t batch_;
    float fill_ = 0;
  };

 private:
  void infer_reach(LayerShapes& s, const SpatialAxes& x, int axis) const {
    if constexpr (requires(const Self& self) { self.reach(x, axis); }) {
      const AxisReach reach = static_cast<const Self*>(this)->reach(x, axis);
      s.extent(axis + 1, axis + 1, reach.multiply, reach.add, 1);
    } else {
      s.fail("axis ", axis + 1, " of the input varies, wanted fixed extents");
    }
  }
};

}  // namespace plait::sdk
