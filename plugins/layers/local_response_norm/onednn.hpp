// Local response normalization by oneDNN, for beta 0.75: of other powers it has no loops of vectors.
//
// Primitives are made once, with the lanes of the context that makes them. Threads: forward and backward
// [any].
#pragma once
#include <plait/kernel_notes.hpp>
#include <plait/sdk.hpp>

#include <memory>

namespace local_response_norm {

struct OneDnnShape {
  int64_t rows, channels, size;
  double alpha, beta, k;
  bool training;
};

class OneDnn {
 public:
  explicit OneDnn(const OneDnnShape& shape);
  ~OneDnn();
  OneDnn(OneDnn&&) noexcept;

  size_t workspace_bytes() const;
  size_t saved_bytes() const;  // 0 where not training
  void forward(const plait::sdk::LayerCall& call) const;
  void backward(const plait::sdk::LayerCall& call) const;
  void note(const plait::sdk::KernelNotes& notes) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace local_response_norm
