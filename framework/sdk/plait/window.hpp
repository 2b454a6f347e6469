// A window that slides over the spatial axes of an input: what convolutions and poolings share. Optional;
// sdk.hpp does not include it.
//
// Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C]; a window has three axes, of which the missing leading
// ones are 1. Output extent: floor((input + 2 padding - dilation (kernel - 1) - 1) / stride) + 1. Fails with:
// kInvalid when the input has no spatial axis, a list has another length than 1 or the number of axes, or the
// kernel does not fit. Threads: [any]
#pragma once
#include <plait/sdk.hpp>

#include <array>
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
  Window(Spec x, std::span<const int64_t> kernel_, std::span<const int64_t> stride_,
         std::span<const int64_t> padding_, std::span<const int64_t> dilation_)
      : axes(x.rank() - 2) {
    if (x.dtype() != DType::f32 || axes < 1 || axes > 3) {
      throw Error("input is ", x, ", wanted f32 [N, W, C], [N, H, W, C] or [N, D, H, W, C]");
    }
    if (x.variable_axis() >= 0) {
      throw Error("axis ", x.variable_axis(), " of the input varies, wanted fixed extents");
    }
    for (int a = first(); a < 3; ++a) {
      input[a] = x.shape(1 + a - first());
      kernel[a] = of_axis("kernel", kernel_, a);
      stride[a] = of_axis("stride", stride_.empty() ? kernel_ : stride_, a);
      padding[a] = of_axis("padding", padding_, a);
      dilation[a] = of_axis("dilation", dilation_, a);
    }
    fit();
  }

  int first() const { return 3 - axes; }  // first axis that the input has
  // Extent of input that the window covers, with the gaps of dilation.
  int64_t reach(int axis) const { return dilation[axis] * (kernel[axis] - 1) + 1; }
  int64_t padded(int axis) const { return input[axis] + 2 * padding[axis]; }
  static size_t product(const Extents& e) { return static_cast<size_t>(e[0] * e[1] * e[2]); }
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
  void fit() {
    Extents covered{1, 1, 1}, space{1, 1, 1};
    bool fits = true;
    for (int a = first(); a < 3; ++a) {
      covered[a] = reach(a), space[a] = padded(a);
      fits = fits && covered[a] <= space[a];
      output[a] = (space[a] - covered[a]) / stride[a] + 1;
    }
    if (fits) return;
    const bool dilated = covered != kernel, is_padded = space != input;
    throw Error(dilated ? "dilated kernel " : "kernel ", text_of(covered), " is larger than the ",
                is_padded ? "padded " : "", "input ", text_of(space));
  }
};

}  // namespace plait::sdk
