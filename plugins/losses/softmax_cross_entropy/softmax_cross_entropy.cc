// Softmax and cross entropy in one: -log of the probability that the prediction gives to the right class.
#include "fields.h"

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

struct SoftmaxCrossEntropy : Fields {
  uint64_t workspace_bytes(const LossShapes& s) const {
    return Work::bytes(rows_of(s.prediction().shape()), s.prediction().size());
  }

  void compute(Context& c, const LossCall& call) const {
    const Tensor prediction = call.prediction();
    const size_t rows = rows_of(prediction.shape()), classes = static_cast<size_t>(prediction.shape(-1));
    const Work work(call.workspace(), rows);
    read_labels(prediction, call.target(), call.weights(), ignore, work.labels);
    const float* const shares = is_shares(prediction, call.target()) ? call.target().f32().data() : nullptr;
    const double count = count_labels(call, work.labels, rows, shares == nullptr);
    const float* x = prediction.f32().data();
    float* dx = call.gradient() ? call.gradient().f32().data() : nullptr;
    const double factor = count > 0 ? call.gradient_scale() / count : 0;

    const size_t grain = std::max<size_t>(1, kGrain / classes);
    c.parallel_for(rows, grain, [&](uint64_t begin, uint64_t end) {
      const size_t n = end - begin, first = begin * classes;
      float* e = work.e + first;
      exponentials(x + first, n, classes, e, work.largest + begin, work.sums + begin);
      const int32_t* const labels = work.labels + begin;
      if (shares == nullptr && call.weights().empty() && is_plain()) {
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
  // A row with a weight, or whose target is shares, or is not taken as it is; its exponentials are there.
  void one_row(const Work& work, const float* x, const float* shares, size_t row, size_t classes,
               double weight, double factor, float* dx) const {
    const size_t first = row * classes;
    const float *const from = x + first, *const e = work.e + first;
    const int32_t* const label = work.labels + row;
    float* const to = dx ? dx + first : nullptr;
    const bool by_shares = shares != nullptr && *label >= 0;  // else as of a label: masked and bad rows are 0
    if (!is_plain() && *label >= 0) {
      const Reshaping reshaping{class_weights.empty() ? nullptr : class_weights.data(), label_smoothing};
      reshaped_row(from, e, {*label, by_shares ? shares + first : nullptr}, classes, reshaping,
                   work.largest[row], work.sums[row], weight * factor, work.loss + row, to);
    } else if (by_shares) {
      share_losses(from, shares + first, 1, classes, work.largest + row, work.sums + row, work.loss + row);
      if (to) share_gradients(e, shares + first, 1, classes, work.sums + row, weight * factor, to);
    } else {
      losses(from, label, 1, classes, work.largest + row, work.sums + row, work.loss + row);
      if (to) gradients(e, label, 1, classes, work.sums + row, weight * factor, to);
    }
    if (*label >= 0) work.loss[row] *= weight;
  }

  // What the rows that are not masked weigh; tells of bad targets by their sample.
  double count_labels(const LossCall& call, const int32_t* labels, size_t rows, bool by_class) const {
    const size_t per_sample = rows / static_cast<size_t>(call.prediction().shape(0));
    double count = 0;
    for (size_t row = 0; row < rows; ++row) {
      const bool weighs = by_class && !class_weights.empty() && labels[row] >= 0;
      const double of_class = weighs ? class_weights[static_cast<size_t>(labels[row])] : 1;
      if (labels[row] != kMasked) count += of_class * call.weight(row / per_sample);
      if (labels[row] == kBad) call.bad_target(static_cast<int64_t>(row / per_sample));
    }
    return count;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.softmax_cross_entropy", "1.0.0", "Apache-2.0",
             loss<SoftmaxCrossEntropy>("plait.softmax_cross_entropy"));
