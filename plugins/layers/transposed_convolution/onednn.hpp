// Transposed convolution by oneDNN's deconvolution, on weights in plain order, which are reordered where it
// wants another.
//
// Primitives are made once, with the lanes of the context that makes them. Threads: forward and backward
// [any].
#pragma once
#include <plait/kernel_notes.hpp>

#include <memory>

#include "shape.hpp"

namespace transposed_convolution {

class OneDnn {
 public:
  explicit OneDnn(const Shape& shape);
  ~OneDnn();
  OneDnn(OneDnn&&) noexcept;

  size_t workspace_bytes() const;
  void note(const plait::sdk::KernelNotes& notes) const;
  void forward(plait::sdk::Context& c, const plait::sdk::LayerCall& call) const;
  void backward(plait::sdk::Context& c, const plait::sdk::LayerCall& call) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace transposed_convolution
