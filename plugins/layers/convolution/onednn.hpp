// Convolution by oneDNN: groups, three axes, and weights that do not fit a core's cache.
//
// Primitives are made once, with the lanes of the context that makes them. Activations are channels-last;
// weights are reordered from and to the stored order where oneDNN wants another. Threads: forward and
// backward [any]; what oneDNN's calls need besides is pooled, and made anew only while more calls run at once
// than ever before.
#pragma once
#include <plait/kernel_notes.hpp>

#include <memory>

#include "shape.hpp"

namespace convolution {

class OneDnn {
 public:
  explicit OneDnn(const ConvolutionShape& shape);
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

}  // namespace convolution
