// Softmax and cross entropy in one: -log of the probability that the prediction gives to the right class.
#include "labels.h"

using namespace plait::sdk;
using namespace plait::softmax_cross_entropy;

namespace {

constexpr size_t kGrain = 4096;  // numbers in a piece of work

size_t rows_of(std::span<const int64_t> prediction) {
  size_t rows = 1;
  for (size_t i = 0; i + 1 < prediction.size(); ++i) rows *= static_cast<size_t>(prediction[i]);
  return rows;
}

// One call's workspace: a number of each sort per row, then the exponentials.
struct Work {
  double *largest, *sums, *loss;
  int32_t* labels;
  float* e;

  Work(void* memory, size_t rows)
      : largest(static_cast<double*>(memory)),
        sums(largest + rows),
        loss(sums + rows),
        labels(reinterpret_cast<int32_t*>(loss + rows)),
        e(reinterpret_cast<float*>(labels + rows)) {}
  static uint64_t bytes(size_t rows, size_t size) {
    return rows * (3 * sizeof(double) + sizeof(int32_t)) + size * sizeof(float);
  }
};

struct SoftmaxCrossEntropy {
  static void describe(Describe<SoftmaxCrossEntropy>& d) {
    d.doc("-log softmax(prediction)[target]: for one right class out of several");
    d.details(
        "Shapes: prediction [N, C] with target [N] or [N, 1]; prediction [N, ..., C] with target [N, ...]: "
        "one class\n"
        "per position, positions past a sample's length count for nothing.\n"
        "Targets: class numbers from 0, as i32, i64, u8 or f32.\n"
        "Gradient of the mean: (softmax(prediction) - onehot(target)) / count.\n"
        "Prediction: plain scores; no softmax layer stands before it.");
  }

  void check(const LossShapes& s) const {
    const Spec p = s.prediction(), t = s.target();
    if (p.dtype() != DType::f32 || p.rank() < 2) s.fail("prediction is ", p, ", wanted f32[N, ..., classes]");
    if (t.dtype() == DType::f64 || t.dtype() == DType::bf16 || t.dtype() == DType::f16) {
      s.fail("target is ", t, ", wanted class numbers as i32, i64, u8 or f32");
    }
    const int positions = p.rank() - 1;
    const bool one_more = t.rank() == p.rank() && t.shape(-1) == 1;
    bool fits = t.rank() == positions || one_more;
    for (int i = 0; fits && i < positions; ++i) fits = t.shape(i) == p.shape(i);
    if (!fits) {
      s.fail("target is ", t,
             ", wanted one class number per position: ", p.shape().first(static_cast<size_t>(positions)));
    }
    if (p.variable_axis() == positions) s.fail("the classes of prediction ", p, " are its variable axis");
  }

  uint64_t workspace_bytes(const LossShapes& s) const {
    return Work::bytes(rows_of(s.prediction().shape()), s.prediction().size());
  }

  void compute(Context& c, const LossCall& call) const {
    const Tensor prediction = call.prediction();
    const size_t rows = rows_of(prediction.shape()), classes = static_cast<size_t>(prediction.shape(-1));
    const Work work(call.workspace(), rows);
    read_labels(prediction, call.target(), work.labels);
    const size_t count = count_labels(call, work.labels, rows);
    const float* x = prediction.f32().data();
    float* dx = call.gradient() ? call.gradient().f32().data() : nullptr;
    const double factor = count > 0 ? call.gradient_scale() / static_cast<double>(count) : 0;

    const size_t grain = std::max<size_t>(1, kGrain / classes);
    c.parallel_for(rows, grain, [&](uint64_t begin, uint64_t end) {
      const size_t n = end - begin, first = begin * classes;
      float* e = work.e + first;
      exponentials(x + first, n, classes, e, work.largest + begin, work.sums + begin);
      losses(x + first, work.labels + begin, n, classes, work.largest + begin, work.sums + begin,
             work.loss + begin);
      if (dx) gradients(e, work.labels + begin, n, classes, work.sums + begin, factor, dx + first);
    });

    double sum = 0;
    for (size_t row = 0; row < rows; ++row) sum += work.loss[row];
    call.set_result(sum, static_cast<double>(count));
  }

 private:
  // Rows that are not masked; tells of bad targets by their sample.
  static size_t count_labels(const LossCall& call, const int32_t* labels, size_t rows) {
    const size_t per_sample = rows / static_cast<size_t>(call.prediction().shape(0));
    size_t count = 0;
    for (size_t row = 0; row < rows; ++row) {
      count += labels[row] != kMasked;
      if (labels[row] == kBad) call.bad_target(static_cast<int64_t>(row / per_sample));
    }
    return count;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.softmax_cross_entropy", "1.0.0", "Apache-2.0",
             loss<SoftmaxCrossEntropy>("plait.softmax_cross_entropy"));
