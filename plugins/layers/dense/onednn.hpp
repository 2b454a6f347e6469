// Matrix products by oneDNN, on weights in the order that the own loops store: [inputs, units]. Sums are in
// f32, also of bf16, and so are the weights' gradient and the bias.
//
// Primitives are made once, with the lanes of the context that makes them. Threads: forward and backward
// [any].
#pragma once
#include <plait/kernel_notes.hpp>
#include <plait/sdk.hpp>
#include <plait/simd.hpp>

#include <memory>

struct DenseShape {
  size_t batch, inputs, units;
  bool has_bias, need_dx, training;
  bool bf16 = false;  // x, y and their gradients; weights are then read where prepare has rounded them
  plait::sdk::Activation activation;

  size_t value_bytes() const { return bf16 ? sizeof(uint16_t) : sizeof(float); }
  bool activates() const { return activation.kind != plait::sdk::Activation::Kind::kIdentity; }
};

class DenseOneDnn {
 public:
  explicit DenseOneDnn(const DenseShape& shape);
  ~DenseOneDnn();
  DenseOneDnn(DenseOneDnn&&) noexcept;

  size_t workspace_bytes() const;
  void note(const plait::sdk::KernelNotes& notes) const;
  void forward(plait::sdk::Context& c, const plait::sdk::LayerCall& call) const;
  void backward(plait::sdk::Context& c, const plait::sdk::LayerCall& call) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};
