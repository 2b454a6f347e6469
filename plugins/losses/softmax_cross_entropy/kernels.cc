#include "kernels.h"

#include <plait/sdk/fast.hpp>

#include <bit>

namespace plait::softmax_cross_entropy {
namespace {

// e^x for x <= 0, to 2 units in the last place; below -87 it is e^-87, some 1e-38.
// Source: Cody and Waite 1980: x = n ln 2 + r, |r| <= ln 2 / 2, and e^r as its Taylor polynomial of degree 7,
// whose remainder 0.35^8 / 8! is 6e-9. 12582912 = 1.5 * 2^23 rounds to a whole number when it is added and
// taken off.
PLAIT_INLINE float exp_below_zero(float x) {
  x = x > -87.0f ? x : -87.0f;
  const float n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

// log(x) for finite x >= 1, to 1e-13: x = 2^n m with m in [0.7, 1.4]; log m = 2 atanh(s), s = (m - 1) / (m +
// 1), as its series to s^15, whose next term is 2 * 0.172^17 / 17 = 1e-14.
PLAIT_INLINE double log_above_one(double x) {
  const uint64_t bits = std::bit_cast<uint64_t>(x) + (0x3FF0000000000000u - 0x3FE6A09E667F3BCDu);
  const double n = static_cast<double>(static_cast<int32_t>(bits >> 52) - 1023);
  const double m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCDu);
  const double s = (m - 1) / (m + 1), q = s * s;
  double p = 1.0 / 15;
  p = p * q + 1.0 / 13;
  p = p * q + 1.0 / 11;
  p = p * q + 1.0 / 9;
  p = p * q + 1.0 / 7;
  p = p * q + 1.0 / 5;
  p = p * q + 1.0 / 3;
  p = p * q + 1.0;
  return n * 0.69314718055994531 + 2 * s * p;
}

PLAIT_FAST void exponentials_flat(float* e, size_t count) {
  for (size_t i = 0; i < count; ++i) e[i] = exp_below_zero(e[i]);
}

PLAIT_FAST void logs_flat(const double* sums, size_t count, double* logs) {
  for (size_t i = 0; i < count; ++i) logs[i] = log_above_one(sums[i]);
}

// The row's largest number; NaN where there is one, so that it reaches the loss.
PLAIT_INLINE float largest_of(const float* x, size_t classes) {
  float largest = x[0];
  for (size_t i = 1; i < classes; ++i) largest = x[i] > largest || x[i] != x[i] ? x[i] : largest;
  return largest;
}

PLAIT_FAST void shift_rows(const float* x, size_t rows, size_t classes, float* e, double* largest) {
  for (size_t row = 0; row < rows; ++row) {
    const float top = largest_of(x + row * classes, classes);
    largest[row] = top;
    for (size_t i = 0; i < classes; ++i) e[row * classes + i] = x[row * classes + i] - top;
  }
}

// Eight partial sums in a fixed order: fast, and the same bits for every row of the same length.
PLAIT_INLINE double sum_of(const float* e, size_t classes) {
  double part[8] = {};
  size_t i = 0;
  for (; i + 8 <= classes; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) part[lane] += e[i + lane];
  }
  for (size_t lane = 0; i < classes; ++i, ++lane) part[lane] += e[i];
  return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

PLAIT_FAST void sum_rows(const float* e, size_t rows, size_t classes, double* sums) {
  for (size_t row = 0; row < rows; ++row) sums[row] = sum_of(e + row * classes, classes);
}

PLAIT_FAST void scale_row(const float* e, size_t classes, float factor, float* dx) {
  for (size_t i = 0; i < classes; ++i) dx[i] = e[i] * factor;
}

}  // namespace

void exponentials(const float* x, size_t rows, size_t classes, float* e, double* largest, double* sums) {
  shift_rows(x, rows, classes, e, largest);
  exponentials_flat(e, rows * classes);
  sum_rows(e, rows, classes, sums);
}

void losses(const float* x, const int32_t* labels, size_t rows, size_t classes, const double* largest,
            const double* sums, double* loss) {
  logs_flat(sums, rows, loss);
  for (size_t row = 0; row < rows; ++row) {
    const int32_t label = labels[row];
    if (label < 0) {
      loss[row] = 0;
    } else {
      loss[row] += largest[row] - x[row * classes + static_cast<size_t>(label)];
    }
  }
}

void share_losses(const float* x, const float* t, size_t rows, size_t classes, const double* largest,
                  const double* sums, double* loss) {
  logs_flat(sums, rows, loss);
  for (size_t row = 0; row < rows; ++row) {
    const double top = loss[row] + largest[row];
    double sum = 0;
    for (size_t i = row * classes; i < (row + 1) * classes; ++i)
      if (t[i] != 0) sum += double{t[i]} * (top - x[i]);  // an infinite score of no share is no loss
    loss[row] = sum;
  }
}

void share_gradients(const float* e, const float* t, size_t rows, size_t classes, const double* sums,
                     double factor, float* dx) {
  const auto down = static_cast<float>(factor);
  for (size_t row = 0; row < rows; ++row) {
    const auto up = static_cast<float>(factor / sums[row]);
    for (size_t i = row * classes; i < (row + 1) * classes; ++i) dx[i] = e[i] * up - t[i] * down;
  }
}

void gradients(const float* e, const int32_t* labels, size_t rows, size_t classes, const double* sums,
               double factor, float* dx) {
  for (size_t row = 0; row < rows; ++row) {
    float* to = dx + row * classes;
    const int32_t label = labels[row];
    scale_row(e + row * classes, classes, label < 0 ? 0.0f : static_cast<float>(factor / sums[row]), to);
    if (label >= 0) to[label] -= static_cast<float>(factor);
  }
}

void reshaped_row(const float* x, const float* e, RowTarget target, size_t classes,
                  const Reshaping& reshaping, double largest, double sum, double factor, double* loss,
                  float* dx) {
  const double rest = 1 - reshaping.smoothing, even = reshaping.smoothing / static_cast<double>(classes);
  const auto share = [&](size_t i) {
    const bool is_label = static_cast<size_t>(target.label) == i;
    const double t = target.shares != nullptr ? double{target.shares[i]} : is_label ? 1 : 0;
    return (reshaping.class_weights != nullptr ? reshaping.class_weights[i] : 1) * (rest * t + even);
  };
  logs_flat(&sum, 1, loss);
  const double top = *loss + largest;
  double value = 0, shares = 0;
  for (size_t i = 0; i < classes; ++i) {
    const double q = share(i);
    shares += q;
    if (q != 0) value += q * (top - x[i]);  // an infinite score of no share is no loss
  }
  *loss = value;
  if (dx == nullptr) return;
  const double up = shares / sum;
  for (size_t i = 0; i < classes; ++i) dx[i] = static_cast<float>(factor * (up * e[i] - share(i)));
}

}  // namespace plait::softmax_cross_entropy
