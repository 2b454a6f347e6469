// Softmax cross entropy of one row by several threads, for kernels: each goes over every kThreads-th class,
// and what they have is combined in their order.
//
// Shapes: x, gradient [rows, classes]; labels [rows].
// Threads: [any]
#pragma once
#include <plait/anywhere.hpp>
#include <plait/sdk.hpp>

#include <cmath>
#include <cstdint>

namespace plait::softmax_cross_entropy::rows {

inline constexpr unsigned kThreads = 32;  // of a row
inline constexpr double kBadLabel = -1;   // in place of a loss, which no rounding takes so far below 0

struct Work {
  const float* x;
  const void* labels;
  sdk::DType labels_type;
  float* gradient;  // null: not wanted
  double* losses;   // [rows]; kBadLabel where the label is no class
  uint64_t rows, classes;
  float factor;  // of the gradient: weight of the loss / rows
};

// A label as a number, whatever its type; -1 where it is no whole number from 0 on.
PLAIT_ANYWHERE inline int64_t label_of(const Work& w, uint64_t row) {
  if (w.labels_type == sdk::DType::u8) return static_cast<const uint8_t*>(w.labels)[row];
  if (w.labels_type == sdk::DType::i32) return static_cast<const int32_t*>(w.labels)[row];
  if (w.labels_type == sdk::DType::i64) return static_cast<const int64_t*>(w.labels)[row];
  const float value = static_cast<const float*>(w.labels)[row];
  if (!(value >= 0 && value < 2147483648.0f)) return -1;
  const auto whole = static_cast<int64_t>(value);
  return static_cast<float>(whole) == value ? whole : -1;
}

// The row's largest number among those of this thread. NaN wins, so that it reaches the loss.
PLAIT_ANYWHERE inline float larger(float a, float b) { return a != a || a >= b ? a : b; }
PLAIT_ANYWHERE inline float largest_of(const Work& w, uint64_t row, unsigned thread) {
  const float* x = w.x + row * w.classes;
  float largest = -INFINITY;
  for (uint64_t i = thread; i < w.classes; i += kThreads) largest = larger(x[i], largest);
  return largest;
}

PLAIT_ANYWHERE inline double sum_of(const Work& w, uint64_t row, unsigned thread, float largest) {
  const float* x = w.x + row * w.classes;
  double sum = 0;
  for (uint64_t i = thread; i < w.classes; i += kThreads) sum += expf(x[i] - largest);
  return sum;
}

// The gradient of this thread's classes; thread 0 writes the loss.
PLAIT_ANYWHERE inline void finish(const Work& w, uint64_t row, unsigned thread, float largest, double sum) {
  const float* x = w.x + row * w.classes;
  const int64_t label = label_of(w, row);
  const bool good = label >= 0 && label < static_cast<int64_t>(w.classes);
  if (thread == 0) w.losses[row] = good ? log(sum) + (double{largest} - x[label]) : kBadLabel;
  if (!w.gradient) return;
  float* to = w.gradient + row * w.classes;
  const float scale = static_cast<float>(1 / sum);
  for (uint64_t i = thread; i < w.classes; i += kThreads) {
    const float p = expf(x[i] - largest) * scale - (static_cast<int64_t>(i) == label ? 1.0f : 0.0f);
    to[i] = good ? p * w.factor : 0;
  }
}

}  // namespace plait::softmax_cross_entropy::rows
