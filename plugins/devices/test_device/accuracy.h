// A plain loop of accuracy on the test device.
#pragma once
#include "device.h"
#include "training.h"

namespace plait::test_device {

struct AccuracyWork {
  const float* x;
  const void* target;
  double* state;
  size_t rows, classes;
  sdk::DType labels;
  int64_t top;

  const char* run(const Access& real) const {
    const float* scores = real(x);
    const void* const wanted = real(static_cast<const char*>(target));
    double* const sums = real(state);
    if (!scores || !wanted || !sums) return kForeign;
    for (size_t n = 0; n < rows; ++n, scores += classes) {
      const int64_t label = label_at(wanted, n);
      if (label >= 0) sums[0] += is_right(scores, label);
      sums[1] += 1;
    }
    return nullptr;
  }
  // -1 where the target is no class.
  int64_t label_at(const void* wanted, size_t n) const {
    const auto most = static_cast<double>(classes);
    if (labels == sdk::DType::f32) {
      const float number = static_cast<const float*>(wanted)[n];
      if (!(number >= 0 && number < most)) return -1;
    }
    const int64_t label = CrossEntropyWork::label_at(wanted, labels, n);
    return label >= 0 && label < static_cast<int64_t>(classes) ? label : -1;
  }
  // Of equal scores the earlier class counts as higher; NaN is never right.
  bool is_right(const float* scores, int64_t label) const {
    const float score = scores[label];
    if (score != score) return false;
    int64_t higher = 0;
    for (int64_t i = 0; i < static_cast<int64_t>(classes); ++i)
      higher += scores[i] > score || (scores[i] == score && i < label);
    return higher < top;
  }
};

struct Accuracy {
  int64_t top = 1;
  static void describe(sdk::Describe<Accuracy>& d) {
    d.doc("accuracy on the test device");
    d.field("top", &Accuracy::top).doc("how many answers a prediction may give");
  }
  size_t state_size(sdk::Spec prediction, sdk::Spec) const {
    if (prediction.variable_axis() >= 0)
      throw sdk::Unsupported("the test device wants fixed extents, got ", prediction);
    return 2;
  }
  void update(sdk::Context& c, sdk::Tensor prediction, sdk::Tensor target, std::span<double> state) const {
    const auto classes = static_cast<size_t>(prediction.shape(-1));
    enqueue(c, AccuracyWork{prediction.f32().data(), target.raw(), state.data(), prediction.size() / classes,
                            classes, target.dtype(), top});
  }
};

}  // namespace plait::test_device
