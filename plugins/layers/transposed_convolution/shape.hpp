// What the kernels of a transposed convolution are told.
#pragma once
#include <plait/sdk.hpp>
#include <plait/simd.hpp>

#include <array>

namespace transposed_convolution {

struct Shape {
  using Extents = std::array<int64_t, 3>;  // D, H, W; leading ones are 1 where the input has fewer axes
  int axes = 0;
  Extents input{1, 1, 1}, output{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0},
      dilation{1, 1, 1}, output_padding{0, 0, 0};
  int64_t batch = 0, channels = 0, filters = 0, groups = 1;
  bool has_bias = true, need_dx = true, need_dw = true, training = true;
  bool bf16 = false;  // x, y and their gradients
  plait::sdk::Activation activation;

  int first() const { return 3 - axes; }
  size_t value_bytes() const { return bf16 ? sizeof(uint16_t) : sizeof(float); }
  bool activates() const { return activation.kind != plait::sdk::Activation::Kind::kIdentity; }
  size_t outputs() const { return plait::sdk::Checked(batch) * output[0] * output[1] * output[2] * filters; }
};

}  // namespace transposed_convolution
