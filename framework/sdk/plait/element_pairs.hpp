// What metrics of numbers read: each element of a prediction beside its target. Optional; sdk.hpp does not
// include it.
//
// Shapes: prediction [N, ...] f32; target [N, ...] f32, u8, i32 or i64 with as many elements per sample,
// compared in their order. Elements past a sample's length do not count. Threads: [any]
#pragma once
#include "sdk/error.hpp"
#include "sdk/tensor.hpp"

namespace plait::sdk {

// Throws Error where no number lies beside each element.
inline void check_element_pairs(Spec prediction, Spec target) {
  if (prediction.dtype() != DType::f32) throw Error("prediction is ", prediction, ", wanted f32[N, ...]");
  if (target.dtype() == DType::f64 || target.dtype() == DType::bf16 || target.dtype() == DType::f16)
    throw Error("target is ", target, ", wanted f32, u8, i32 or i64");
  if (target.size() != prediction.size())
    throw Error("target ", target, " has not as many elements per sample as prediction ", prediction);
}

// The elements of a batch, one after the other. Borrows both tensors.
class ElementPairs {
 public:
  ElementPairs(Tensor prediction, Tensor target)
      : prediction_(prediction),
        target_(target),
        axis_(prediction.variable_axis() < 0 ? 1 : prediction.variable_axis()),
        masked_(!prediction.lengths().empty() && prediction.rank() > 1) {
    for (int i = axis_ + 1; masked_ && i < prediction.rank(); ++i)
      after_ *= static_cast<size_t>(prediction.shape(i));
  }

  size_t size() const { return prediction_.size(); }  // elements, those that do not count among them
  double prediction(size_t i) const { return prediction_.f32()[i]; }
  double target(size_t i) const {
    switch (target_.dtype()) {
      case DType::u8:
        return target_.data<uint8_t>()[i];
      case DType::i32:
        return target_.data<int32_t>()[i];
      case DType::i64:
        return static_cast<double>(target_.data<int64_t>()[i]);
      default:
        return target_.f32()[i];
    }
  }
  // False past the end of its sample.
  bool counts(size_t i) const {
    if (!masked_) return true;
    const size_t place = i / after_ % static_cast<size_t>(prediction_.shape(axis_));
    const size_t sample = i / (size() / static_cast<size_t>(prediction_.shape(0)));
    return place < static_cast<size_t>(prediction_.length(sample));
  }

 private:
  Tensor prediction_, target_;
  int axis_;
  bool masked_;
  size_t after_ = 1;  // elements per place of the axis
};

}  // namespace plait::sdk
