// Poolings that make as many numbers as are wanted of whatever there is: output o of O along an axis of I
// inputs sees those from floor(o I / O) to ceil((o + 1) I / O) - 1, windows of nearly one size that overlap
// where O does not divide I. Where extents vary, the windows of a sample follow from its own. Optional;
// sdk.hpp does not include it.
//
//   struct Kernel {
//     Kernel(const Mine& config, Context&, const LayerRequest& r, LayerNeeds&)
//         : windows(r.input(), config.size) {}
//     void forward(Context& c, const LayerCall& call) const {
//       c.parallel_for(windows.batch(), windows.grain(), [&](size_t n) {
//         const AdaptiveWindows::Sample sample = windows.of(call.input(), n);
//         sample.each([&](size_t output, const AdaptiveWindows::Window& window) {
//           window.each([&](size_t place) { y[output * channels] += x[place * channels]; });
//         });
//       });
//     }
//   };
//
// Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C]; y with other extents of D, H, W. Outputs and places
// are counted in the order of memory, from the sample's first on.
// Threads: [any]
#pragma once
#include <plait/sdk/checked.hpp>
#include <plait/spatial.hpp>

#include <array>
#include <vector>

namespace plait::sdk {

class AdaptiveWindows {
 public:
  // The shape of what they make of x, for infer. Fails with: kInvalid for another x, or as many sizes as it
  // has no axes.
  static std::vector<int64_t> shape(Spec x, const std::vector<int64_t>& size) {
    const SpatialAxes axes(x);
    std::vector<int64_t> made{x.shape(0)};
    for (int a = 0; a < axes.count(); ++a) made.push_back(axes.value("size", size, a));
    made.push_back(x.shape(-1));
    return made;
  }

  AdaptiveWindows(Spec x, const std::vector<int64_t>& size)
      : batch_(static_cast<size_t>(x.shape(0))), channels_(static_cast<size_t>(x.shape(-1))) {
    const SpatialAxes axes(x);
    for (int a = 0; a < axes.count(); ++a) {
      const auto at = static_cast<size_t>(first_axis(x.rank()) + a);
      in_[at] = static_cast<size_t>(axes.extent(a));
      out_[at] = static_cast<size_t>(axes.value("size", size, a));
    }
  }
  size_t batch() const { return batch_; }
  size_t channels() const { return channels_; }
  // Numbers of a sample.
  size_t inputs() const { return in_[0] * in_[1] * in_[2] * channels_; }
  size_t outputs() const { return out_[0] * out_[1] * out_[2] * channels_; }
  size_t grain() const { return 1 + Context::kDefaultGrain / (inputs() + outputs() + 1); }

  struct Range {
    size_t begin, end;
    size_t count() const { return end - begin; }
  };
  // The places that one output sees; none where a sample has none.
  struct Window {
    std::array<Range, 3> along;  // D, H, W
    std::array<size_t, 3> in;

    size_t count() const { return along[0].count() * along[1].count() * along[2].count(); }
    template <class Body>
    void each(const Body& body) const {
      for (size_t d = along[0].begin; d < along[0].end; ++d)
        for (size_t h = along[1].begin; h < along[1].end; ++h)
          for (size_t w = along[2].begin; w < along[2].end; ++w) body((d * in[1] + h) * in[2] + w);
    }
  };

  // The windows of one sample, whose places lie among `in` of the whole tensor.
  struct Sample {
    std::array<size_t, 3> in, used, out;

    template <class Body>
    void each(const Body& body) const {
      size_t output = 0;
      for (size_t d = 0; d < out[0]; ++d)
        for (size_t h = 0; h < out[1]; ++h)
          for (size_t w = 0; w < out[2]; ++w)
            body(output++, Window{{along(0, d), along(1, h), along(2, w)}, in});
    }

   private:
    Range along(size_t axis, size_t o) const {
      return {o * used[axis] / out[axis], ((o + 1) * used[axis] + out[axis] - 1) / out[axis]};
    }
  };
  Sample of(Tensor x, size_t n) const {
    Sample sample{in_, in_, out_};
    for (const int axis : {x.variable_axis(), x.second_axis()})
      if (axis > 0)
        sample.used[static_cast<size_t>(first_axis(x.rank()) + axis - 1)] =
            static_cast<size_t>(x.extent(n, axis));
    return sample;
  }

 private:
  static int first_axis(int rank) { return 5 - rank; }  // missing leading ones are 1

  std::array<size_t, 3> in_{1, 1, 1}, out_{1, 1, 1};  // D, H, W
  size_t batch_, channels_;
};

}  // namespace plait::sdk
