// The arithmetic of softmax cross entropy over whole batches: flat loops, so that ten classes fill a vector
// as well as a thousand.
//
// Shapes: rows of C classes; one label per row.
// Threads: [any]
#pragma once
#include <cstddef>
#include <cstdint>

namespace plait::softmax_cross_entropy {

// Labels that are not a class.
inline constexpr int32_t kMasked = -1;  // past its sample's length: counts for nothing
inline constexpr int32_t kBad = -2;

// Over rows * classes numbers: e[i] = exp(x[i] - the row's largest); sums[row] their sum, in double.
void exponentials(const float* x, size_t rows, size_t classes, float* e, double* largest, double* sums);

// loss[row] = log(sum) + largest - x[label]; 0 for a label that is not a class.
void losses(const float* x, const int32_t* labels, size_t rows, size_t classes, const double* largest,
            const double* sums, double* loss);

// The same of a target that is shares t of all classes: loss[row] = sum of t (log(sum) + largest - x).
void share_losses(const float* x, const float* t, size_t rows, size_t classes, const double* largest,
                  const double* sums, double* loss);

// dx = (e / sum - t) * factor, for shares whose sum is 1. e may be dx.
void share_gradients(const float* e, const float* t, size_t rows, size_t classes, const double* sums,
                     double factor, float* dx);

// dx = (e / sum - onehot(label)) * factor; zeros for a label that is not a class. e may be dx.
void gradients(const float* e, const int32_t* labels, size_t rows, size_t classes, const double* sums,
               double factor, float* dx);

// What becomes of a target before it is compared: q = w ((1 - smoothing) t + smoothing / classes).
struct Reshaping {
  const double* class_weights;  // w; null: 1
  double smoothing;
};
struct RowTarget {
  int32_t label;
  const float* shares;  // t; null: onehot(label)
};

// Of one row: loss = sum of q (log(sum) + largest - x); where dx is not null, dx = (sum of q e / sum - q) *
// factor.
void reshaped_row(const float* x, const float* e, RowTarget target, size_t classes,
                  const Reshaping& reshaping, double largest, double sum, double factor, double* loss,
                  float* dx);

}  // namespace plait::softmax_cross_entropy
