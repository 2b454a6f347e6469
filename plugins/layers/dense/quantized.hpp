// Matrix products of 8-bit integers, by oneDNN: y = f(x w + b) of a trained layer whose input has a range
// (onednn_int8.hpp). x becomes u8 or s8 in the workspace, w s8 in what is prepared; y is f32.
//
// Primitives are made once, with the lanes of the context that makes them; bits follow from neither lanes
// nor batch. Threads: prepare, forward [any].
#pragma once
#include <plait/kernel_notes.hpp>
#include <plait/sdk.hpp>

#include <memory>

#include "onednn.hpp"

class QuantizedDense {
 public:
  // Fails with: kUnsupported for what oneDNN does not compute.
  QuantizedDense(const DenseShape& shape, plait::sdk::Range range);
  ~QuantizedDense();
  QuantizedDense(QuantizedDense&&) noexcept;

  size_t workspace_bytes() const;
  size_t prepared_bytes() const;
  void note(const plait::sdk::KernelNotes& notes) const;
  // Of the stored weights [inputs, units].
  void prepare(const plait::sdk::LayerCall& call) const;
  // Fails with: kNumeric for an input that is not finite.
  void forward(plait::sdk::Context& c, const plait::sdk::LayerCall& call) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};
