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
  static constexpr bool two_axes = true;
  static constexpr bool weighted = true;

  static void describe(Describe<SoftmaxCrossEntropy>& d) {
    d.doc("-log softmax(prediction)[target]: for one right class out of several, or shares of them");
    d.details(
        "Shapes: prediction [N, C] with target [N] or [N, 1]; prediction [N, ..., C] with target [N, ...]: "
        "one class\n"
        "per position, positions past a sample's extents count for nothing.\n"
        "Targets: class numbers from 0, as i32, i64, u8 or f32; or [N, ..., C] f32, shares of all classes "
        "that "
        "sum to 1\n"
        "(mixed or smoothed labels): the loss is then the sum of share * -log softmax(prediction).\n"
        "Weights of samples: each position weighs as its sample; the mean is over the sum of weights.\n"
        "Gradient of the mean: (softmax(prediction) - onehot(target)) / count.\n"
        "Prediction: plain scores; no softmax layer comes before it.");
  }

  void check(const LossShapes& s) const {
    const Spec p = s.prediction(), t = s.target();
    if (p.dtype() != DType::f32 || p.rank() < 2) s.fail("prediction is ", p, ", wanted f32[N, ..., classes]");
    if (t.dtype() == DType::f64 || t.dtype() == DType::bf16 || t.dtype() == DType::f16) {
      s.fail("target is ", t, ", wanted class numbers as i32, i64, u8 or f32");
    }
    if (p.varies(p.rank() - 1)) s.fail("the classes of prediction ", p, " are its variable axis");
    const int positions = p.rank() - 1;
    const bool one_more = t.rank() == p.rank() && t.shape(-1) == 1;
    bool fits = t.rank() == positions || one_more || is_shares(p, t);
    for (int i = 0; fits && i < positions; ++i) fits = t.shape(i) == p.shape(i);
    if (!fits) {
      s.fail("target is ", t,
             ", wanted one class number per position: ", p.shape().first(static_cast<size_t>(positions)));
    }
  }

  uint64_t workspace_bytes(const LossShapes& s) const {
    return Work::bytes(rows_of(s.prediction().shape()), s.prediction().size());
  }

  void compute(Context& c, const LossCall& call) const {
    const Tensor prediction = call.prediction();
    const size_t rows = rows_of(prediction.shape()), classes = static_cast<size_t>(prediction.shape(-1));
    const Work work(call.workspace(), rows);
    read_labels(prediction, call.target(), call.weights(), work.labels);
    const double count = count_labels(call, work.labels, rows);
    const float* const shares = is_shares(prediction, call.target()) ? call.target().f32().data() : nullptr;
    const float* x = prediction.f32().data();
    float* dx = call.gradient() ? call.gradient().f32().data() : nullptr;
    const double factor = count > 0 ? call.gradient_scale() / count : 0;

    const size_t grain = std::max<size_t>(1, kGrain / classes);
    c.parallel_for(rows, grain, [&](uint64_t begin, uint64_t end) {
      const size_t n = end - begin, first = begin * classes;
      float* e = work.e + first;
      exponentials(x + first, n, classes, e, work.largest + begin, work.sums + begin);
      const int32_t* const labels = work.labels + begin;
      if (shares == nullptr && call.weights().empty()) {
        losses(x + first, labels, n, classes, work.largest + begin, work.sums + begin, work.loss + begin);
        if (dx) gradients(e, labels, n, classes, work.sums + begin, factor, dx + first);
        return;
      }
      const size_t per_sample = rows / static_cast<size_t>(prediction.shape(0));
      for (size_t row = begin; row < end; ++row)
        one_row(work, x, shares, row, classes, call.weight(row / per_sample), factor, dx);
    });

    double sum = 0;
    for (size_t row = 0; row < rows; ++row) sum += work.loss[row];
    call.set_result(sum, count);
  }

 private:
  // A row with a weight, or whose target is shares; its exponentials are there.
  static void one_row(const Work& work, const float* x, const float* shares, size_t row, size_t classes,
                      double weight, double factor, float* dx) {
    const size_t first = row * classes;
    const float *const from = x + first, *const e = work.e + first;
    const int32_t* const label = work.labels + row;
    float* const to = dx ? dx + first : nullptr;
    const bool by_shares = shares != nullptr && *label >= 0;  // else as of a label: masked and bad rows are 0
    if (by_shares) {
      share_losses(from, shares + first, 1, classes, work.largest + row, work.sums + row, work.loss + row);
      if (to) share_gradients(e, shares + first, 1, classes, work.sums + row, weight * factor, to);
    } else {
      losses(from, label, 1, classes, work.largest + row, work.sums + row, work.loss + row);
      if (to) gradients(e, label, 1, classes, work.sums + row, weight * factor, to);
    }
    if (*label >= 0) work.loss[row] *= weight;
  }

  // What the rows that are not masked weigh; tells of bad targets by their sample.
  static double count_labels(const LossCall& call, const int32_t* labels, size_t rows) {
    const size_t per_sample = rows / static_cast<size_t>(call.prediction().shape(0));
    double count = 0;
    for (size_t row = 0; row < rows; ++row) {
      if (labels[row] != kMasked) count += call.weight(row / per_sample);
      if (labels[row] == kBad) call.bad_target(static_cast<int64_t>(row / per_sample));
    }
    return count;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.softmax_cross_entropy", "1.0.0", "Apache-2.0",
             loss<SoftmaxCrossEntropy>("plait.softmax_cross_entropy"));
