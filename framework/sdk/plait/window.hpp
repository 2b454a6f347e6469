// A window that slides over the spatial axes of an input: what convolutions and poolings share (Window and
// WindowWalk), and what poolings share besides (Pooling). Optional; sdk.hpp does not include it.
//
// Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C]; a window has three axes, of which the missing leading
// ones are 1. Output extent: floor((input + 2 padding - dilation (kernel - 1) - 1) / stride) + 1. Fails with:
// kInvalid when the input has no spatial axis or one of extent 0, a list has another length than 1 or the
// number of axes, a value is too small to mean something (kernel 0, padding -1), the kernel does not fit, or
// the padded input is more than 64 bits count. Threads: [any]
#pragma once
#include <plait/sdk.hpp>
#include <plait/sdk/checked.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace plait::sdk {

struct Window {
  using Extents = std::array<int64_t, 3>;  // D, H, W
  Extents input{1, 1, 1}, output{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0},
      dilation{1, 1, 1};
  int axes = 0;

  // Lists hold one value for all axes or one per axis; an empty stride is the kernel.
  // x is f32, or of the other type that the layer takes.
  Window(Spec x, std::span<const int64_t> kernel_, std::span<const int64_t> stride_,
         std::span<const int64_t> padding_, std::span<const int64_t> dilation_, DType or_of = DType::f32)
      : axes(x.rank() - 2) {
    if ((x.dtype() != DType::f32 && x.dtype() != or_of) || axes < 1 || axes > 3) {
      throw Error("input is ", x, ", wanted f32 [N, W, C], [N, H, W, C] or [N, D, H, W, C]");
    }
    for (const int axis : {x.variable_axis(), x.second_axis()}) {
      if (axis == 0 || axis > axes) throw Error("axis ", axis, " of the input varies, wanted spatial axes");
    }
    for (int a = first(); a < 3; ++a) {
      input[a] = x.shape(1 + a - first());
      kernel[a] = of_axis("kernel", kernel_, a);
      stride[a] = of_axis("stride", stride_.empty() ? kernel_ : stride_, a);
      padding[a] = of_axis("padding", padding_, a);
      dilation[a] = of_axis("dilation", dilation_, a);
      check_axis(a);
    }
    fit();
  }

  int first() const { return 3 - axes; }  // first axis that the input has
  // Extent of input that the window covers, with the gaps of dilation.
  int64_t reach(int axis) const { return dilation[axis] * (kernel[axis] - 1) + 1; }
  int64_t padded(int axis) const { return input[axis] + 2 * padding[axis]; }
  static size_t product(const Extents& e) { return Checked(e[0]) * e[1] * e[2]; }
  size_t taps() const { return product(kernel); }
  size_t inputs() const { return product(input); }
  size_t outputs() const { return product(output); }
  // [batch, output extents, channels]
  std::vector<int64_t> output_shape(int64_t batch, int64_t channels) const {
    std::vector<int64_t> shape{batch};
    shape.insert(shape.end(), output.begin() + first(), output.end());
    shape.push_back(channels);
    return shape;
  }
  // For infer: says of output 0 along which axes it varies, those along which input 0 does, and how far its
  // samples then reach.
  void infer_extents(LayerShapes& s, PartSpec& output_0) const {
    const Spec x = s.input();
    output_0.variable_axis = x.variable_axis(), output_0.second_axis = x.second_axis();
    for (int a = first(); a < 3; ++a) {
      const int axis = 1 + a - first();
      if (x.varies(axis)) s.extent(axis, axis, 1, stride[a] + padded(a) - input[a] - reach(a), stride[a]);
    }
  }
  // "5x5"
  std::string text_of(const Extents& extents) const {
    std::string result;
    for (int a = first(); a < 3; ++a) result += (a > first() ? "x" : "") + std::to_string(extents[a]);
    return result;
  }

 private:
  int64_t of_axis(const char* field, std::span<const int64_t> list, int axis) const {
    if (list.size() != 1 && list.size() != static_cast<size_t>(axes)) {
      throw Error(field, " has ", list.size(), " values, wanted 1, or ", axes, ", one per axis");
    }
    return list[list.size() == 1 ? 0 : static_cast<size_t>(axis - first())];
  }
  void check_axis(int a) const {
    if (input[a] < 1)
      throw Error("axis ", 1 + a - first(), " of the input is ", input[a], ", wanted at least 1");
    if (kernel[a] < 1 || stride[a] < 1 || padding[a] < 0 || dilation[a] < 1) {
      throw Error("kernel ", kernel[a], ", stride ", stride[a], ", padding ", padding[a], ", dilation ",
                  dilation[a], ": wanted at least 1, 1, 0, 1");
    }
  }
  // From here on reach(), padded() and products of them are within 64 bits.
  void fit() {
    Extents covered{1, 1, 1}, space{1, 1, 1};
    bool fits = true;
    for (int a = first(); a < 3; ++a) {
      covered[a] = Checked(dilation[a]) * (kernel[a] - 1) + 1;
      space[a] = Checked(padding[a]) * 2 + input[a];
      fits = fits && covered[a] <= space[a];
      output[a] = (space[a] - covered[a]) / stride[a] + 1;
    }
    if (fits) return static_cast<void>(product(space));
    const bool dilated = covered != kernel, is_padded = space != input;
    throw Error(dilated ? "dilated kernel " : "kernel ", text_of(covered), " is larger than the ",
                is_padded ? "padded " : "", "input ", text_of(space));
  }
};

// One window: where its first tap lies in a sample's input (may be before it, in the padding), and its
// output.
struct WindowAt {
  ptrdiff_t origin;  // floats
  size_t output;     // floats
  int64_t d, h, w;   // of the first tap
  bool inside;       // no tap lies in the padding
};

// The windows over one sample, walked in the order of the output.
struct WindowWalk {
  static constexpr size_t kMostTaps = size_t{1} << 24;  // a float counts them

  Window window;
  size_t channels, taps, sample_inputs, sample_outputs;
  bool disjoint, tiles;            // no two windows share input; every input lies in a window
  std::vector<ptrdiff_t> offsets;  // of each tap from the first

  // Fails with: kInvalid for a window of more than kMostTaps places.
  WindowWalk(const Window& over, size_t channels_)
      : window(over),
        channels(channels_),
        taps(over.taps()),
        sample_inputs(Checked(over.inputs()) * channels_),
        sample_outputs(Checked(over.outputs()) * channels_),
        disjoint(true),
        tiles(true) {
    if (taps > kMostTaps) {
      throw Error("a window of ", window.text_of(window.kernel), " has more than ", kMostTaps, " places");
    }
    check_offsets();
    for (int a = 0; a < 3; ++a) {
      disjoint = disjoint && window.stride[a] >= window.kernel[a] && window.padding[a] == 0;
      tiles = tiles && window.output[a] * window.stride[a] == window.input[a] &&
              window.stride[a] == window.kernel[a];
    }
    tiles = tiles && disjoint;
    for (int64_t d = 0; d < window.kernel[0]; ++d) {
      for (int64_t h = 0; h < window.kernel[1]; ++h) {
        for (int64_t w = 0; w < window.kernel[2]; ++w) offsets.push_back(offset(d, h, w));
      }
    }
  }

  ptrdiff_t offset(int64_t d, int64_t h, int64_t w) const {
    return ((d * window.input[1] + h) * window.input[2] + w) * static_cast<ptrdiff_t>(channels);
  }

  template <class Body>
  void each_window(const Body& body) const {
    const auto& o = window.output;
    WindowAt at{0, 0, 0, 0, 0, true};
    for (int64_t d = 0; d < o[0]; ++d) {
      for (int64_t h = 0; h < o[1]; ++h) {
        at.d = first(0, d), at.h = first(1, h);
        const bool rows_inside = inside(0, at.d) && inside(1, at.h);
        at.w = first(2, 0);
        at.origin = offset(at.d, at.h, at.w);
        const ptrdiff_t step = offset(0, 0, window.stride[2]);
        for (int64_t w = 0; w < o[2];
             ++w, at.output += channels, at.origin += step, at.w += window.stride[2]) {
          at.inside = rows_inside && inside(2, at.w);
          body(static_cast<const WindowAt&>(at));
        }
      }
    }
  }

  // body(first window, count, step): the same windows in runs along the last axis, which are inside all or
  // one alone. step: floats of input from one window to the next.
  template <class Body>
  void each_run(const Body& body) const {
    WindowAt first{};
    size_t count = 0;
    const ptrdiff_t step = offset(0, 0, window.stride[2]);
    each_window([&](const WindowAt& at) {
      const bool goes_on = count > 0 && first.inside && at.inside && at.d == first.d && at.h == first.h;
      if (goes_on) return static_cast<void>(++count);
      if (count > 0) body(static_cast<const WindowAt&>(first), count, step);
      first = at, count = 1;
    });
    if (count > 0) body(static_cast<const WindowAt&>(first), count, step);
  }

  // body(tap) for the taps that do not lie in the padding.
  template <class Body>
  void each_tap_inside(const WindowAt& at, const Body& body) const {
    const Range d_range = taps_inside(0, at.d), h_range = taps_inside(1, at.h),
                w_range = taps_inside(2, at.w);
    for (int64_t d = d_range.begin; d < d_range.end; ++d) {
      for (int64_t h = h_range.begin; h < h_range.end; ++h) {
        const int64_t row = (d * window.kernel[1] + h) * window.kernel[2];
        for (int64_t w = w_range.begin; w < w_range.end; ++w) body(static_cast<size_t>(row + w));
      }
    }
  }

 private:
  int64_t first(int axis, int64_t place) const { return place * window.stride[axis] - window.padding[axis]; }
  struct Range {
    int64_t begin, end;
  };
  // The taps along an axis that meet input, of a window whose first tap lies at `place`.
  Range taps_inside(int axis, int64_t place) const {
    return {place < 0 ? -place : 0, std::min(window.kernel[axis], window.input[axis] - place)};
  }
  bool inside(int axis, int64_t place) const {
    return place >= 0 && place + window.kernel[axis] <= window.input[axis];
  }
  // Where windows begin and end, in floats, is within 64 bits.
  void check_offsets() const {
    Checked extent = Checked(channels) * 2;
    for (int a = 0; a < 3; ++a) extent = extent * std::max(window.padded(a), window.stride[a]);
  }
};

// Base of layers that make one number a channel of each window: fields and shapes. describe of the layer
// calls describe_window; its Kernel makes a WindowWalk of window(). Fails with: kInvalid as Window, and where
// padding is not smaller than the kernel: a window of padding alone has no value.
struct Pooling {
  static constexpr bool two_axes = true;
  std::vector<int64_t> kernel, stride, padding = {0};

  template <class Layer>
  static void describe_window(Describe<Layer>& d) {
    d.field("kernel", &Pooling::kernel)
        .doc("extents of the window: one for all axes, or one per axis")
        .range(1, kMostExtent)
        .unit("px")
        .required();
    d.field("stride", &Pooling::stride)
        .doc("steps of the window; the kernel when not given")
        .range(1, kMostExtent)
        .unit("px");
    d.field("padding", &Pooling::padding)
        .doc("added on each side; less than the kernel")
        .range(0, kMostExtent)
        .unit("px");
  }

  // pads_zeros: padding counts as zeros, as what is past the extent of a sample does; else an axis that
  // varies has none. or_of: see Window.
  Window window(Spec x, bool pads_zeros = false, DType or_of = DType::f32) const {
    static constexpr int64_t kOne[] = {1};
    const Window w(x, kernel, stride, padding, kOne, or_of);
    for (int a = w.first(); a < 3 && !pads_zeros; ++a) {
      if (w.padding[a] > 0 && x.varies(1 + a - w.first())) {
        throw Error("padding ", w.text_of(w.padding), " along axis ", 1 + a - w.first(),
                    ", which varies: wanted 0 there");
      }
    }
    for (int a = 0; a < 3; ++a) {
      if (w.padding[a] > 0 && w.padding[a] >= w.kernel[a]) {
        throw Error("padding ", w.text_of(w.padding), " is not smaller than the kernel ",
                    w.text_of(w.kernel));
      }
    }
    return w;
  }

  void infer(LayerShapes& s) const { infer_outputs(s, window(s.input())); }

 protected:
  static void infer_outputs(LayerShapes& s, const Window& w) {
    w.infer_extents(s, s.output(w.output_shape(s.input().shape(0), s.input().shape(-1))));
  }
};

}  // namespace plait::sdk
