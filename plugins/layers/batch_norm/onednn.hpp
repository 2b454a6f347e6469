// Batch normalization by oneDNN where the batch's statistics are taken: training that is not frozen. Its sums
// run in f32.
//
// Primitives are made once, with the lanes of the context that makes them. Threads: forward and backward
// [any].
#pragma once
#include <plait/kernel_notes.hpp>
#include <plait/sdk.hpp>

#include <memory>

namespace layers {

struct BatchNormShape {
  int64_t rows, channels;
  double epsilon;
};

class BatchNormOneDnn {
 public:
  explicit BatchNormOneDnn(const BatchNormShape& shape);
  ~BatchNormOneDnn();
  BatchNormOneDnn(BatchNormOneDnn&&) noexcept;

  size_t workspace_bytes() const;
  // saved: mean, then variance (by the count), [channels] each. `share`: the batch's in what the running
  // statistics become.
  void forward(const plait::sdk::LayerCall& call, double share) const;
  void backward(const plait::sdk::LayerCall& call) const;
  void note(const plait::sdk::KernelNotes& notes) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace layers
