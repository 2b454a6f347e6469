// Normalizing rows by oneDNN.
//
// Primitives are made once, with the lanes of the context that makes them. Threads: forward and backward
// [any].
#pragma once
#include <plait/sdk.hpp>

#include <memory>

struct LayerNormShape {
  int64_t rows, columns;  // each row is normalized by itself
  double epsilon;
  bool affine, training;
};

class LayerNormOneDnn {
 public:
  explicit LayerNormOneDnn(const LayerNormShape& shape);
  ~LayerNormOneDnn();
  LayerNormOneDnn(LayerNormOneDnn&&) noexcept;

  size_t workspace_bytes() const;
  size_t saved_bytes() const;  // means, then variances, [rows] each; 0 where not training
  void forward(const plait::sdk::LayerCall& call) const;
  void backward(const plait::sdk::LayerCall& call) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};
