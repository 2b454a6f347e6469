// Convolution of 8-bit integers, by oneDNN: a trained layer whose input has a range (onednn_int8.hpp). x
// becomes u8 or s8 in the workspace, w s8 in what is prepared; y is f32.
//
// Primitives are made once, with the lanes of the context that makes them; bits follow from neither lanes
// nor batch. Threads: prepare, forward [any].
#pragma once
#include <plait/kernel_notes.hpp>

#include <memory>

#include "shape.hpp"

namespace convolution {

class Quantized {
 public:
  // Fails with: kUnsupported for what oneDNN does not compute.
  Quantized(const ConvolutionShape& shape, plait::sdk::Range range);
  ~Quantized();
  Quantized(Quantized&&) noexcept;

  // Whether integers are as a rule faster than f32 by whichever kernel; batch and extents are not asked.
  static bool wins(const ConvolutionShape& shape);

  size_t workspace_bytes() const;
  size_t prepared_bytes() const;
  void note(const plait::sdk::KernelNotes& notes) const;
  // Of the weights in stored order.
  void prepare(const plait::sdk::LayerCall& call) const;
  // Fails with: kNumeric for an input that is not finite.
  void forward(plait::sdk::Context& c, const plait::sdk::LayerCall& call) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace convolution
