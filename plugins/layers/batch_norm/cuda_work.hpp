// What a thread of batch_norm.cu does: the host's arithmetic (batch_norm.cc), a channel or an element each.
#pragma once
#include <plait/absorbed.hpp>
#include <plait/cuda/divide.hpp>
#include <plait/sample_places.hpp>

#include <cmath>
#include <cstdint>

namespace layers {

// Of each channel, [channels] each: what normalizing an element needs.
struct BatchNormFactors {
  float *factor, *mean, *bias;
};

// Which rows of the batch (a row: the channels of a place) its samples have.
struct BatchNormRows {
  plait::sdk::SamplePlaces places;
  uint64_t channels;
  const int32_t* first;  // [N] each: extents along the variable axes; null: all
  const int32_t* second;

  PLAIT_ANYWHERE bool vary() const { return first != nullptr || second != nullptr; }
  // Of element i.
  PLAIT_ANYWHERE bool have(uint64_t i) const {
    if (!vary()) return true;
    const uint64_t row = i / channels, n = row / places.count(), place = row % places.count();
    const uint64_t across = place / places.inner % places.second,
                   down = place / (places.inner * places.second * places.middle) % places.first;
    return (first == nullptr || down < static_cast<uint64_t>(first[n])) &&
           (second == nullptr || across < static_cast<uint64_t>(second[n]));
  }
};

PLAIT_ANYWHERE inline float inverse_deviation(double variance, double epsilon) {
  return static_cast<float>(1 / sqrt(variance + epsilon));
}

// sums: of u = a - from, and of u v with v = b - about, in f64.
struct BatchNormTerms {
  static constexpr unsigned kSums = 2;
  const float *a, *from;  // from: [channels], or null for zeros
  const float *b, *about;
  BatchNormRows rows;

  PLAIT_ANYWHERE void add(uint64_t at, uint64_t channel, double* sums) const {
    if (!rows.have(at)) return;
    const double zero = from ? static_cast<double>(from[channel]) : 0.0;
    const double u = static_cast<double>(a[at]) - zero;
    sums[0] += u;
    sums[1] += u * (static_cast<double>(b[at]) - static_cast<double>(about[channel]));
  }
};

// The batch's statistics, from sums about its first row, into saved memory and the running ones.
struct BatchNormLearn {
  double count, share, epsilon;  // share: the batch's in what the running statistics become
  uint64_t channels;
  const float *first, *weight, *shift;
  float *saved, *running_mean, *running_variance;  // saved: [mean, 1 / deviation]
  BatchNormFactors to;

  PLAIT_ANYWHERE void operator()(uint64_t k, const double* sums) const {
    const double off = sums[0] / count, mean = static_cast<double>(first[k]) + off;
    const double spread = sums[1] / count - off * off,
                 variance = spread > 0 || spread != spread ? spread : 0.0;
    saved[k] = static_cast<float>(mean);
    saved[channels + k] = inverse_deviation(variance, epsilon);
    follow(running_mean[k], mean);
    follow(running_variance[k], variance * count / (count > 2 ? count - 1 : 1.0));
    to.factor[k] = weight[k] * saved[channels + k];
    to.mean[k] = saved[k];
    to.bias[k] = shift[k];
  }
  PLAIT_ANYWHERE void follow(float& running, double batch) const {
    running = static_cast<float>(share < 1 ? (1 - share) * running + share * batch : batch);
  }
};

// The factors of channel k from the running statistics.
struct BatchNormRunning {
  double epsilon;
  const float *mean, *variance, *weight, *shift;
  BatchNormFactors to;

  PLAIT_ANYWHERE void operator()(uint64_t k) const {
    const double known =
        variance[k] > 0 || variance[k] != variance[k] ? static_cast<double>(variance[k]) : 0.0;
    to.factor[k] = weight[k] * inverse_deviation(known, epsilon);
    to.mean[k] = mean[k];
    to.bias[k] = shift[k];
  }
};

// y = f((x - mean) factor + bias)
struct BatchNormApply {
  plait::sdk::Absorbed f;
  uint64_t channels;
  const float* x;
  float* y;
  BatchNormFactors by;
  BatchNormRows rows;

  PLAIT_ANYWHERE float load(uint64_t i) const { return x[i]; }
  PLAIT_ANYWHERE void store(uint64_t i, float value) const {
    const uint64_t k = plait::sdk::gpu::divide(i, channels).remainder;
    y[i] = rows.have(i) ? f.apply((value - by.mean[k]) * by.factor[k] + by.bias[k]) : 0.0f;
  }
};

// The output's gradient before the absorbed function, whose y it may look at.
struct BatchNormUndone {
  plait::sdk::Absorbed f;
  const float *y, *dy;  // y: null where !f.needs_output()
  PLAIT_ANYWHERE float operator()(uint64_t i) const { return dy[i] * f.slope(y ? y[i] : 0.0f); }
};

// sums: of d, the undone gradient, and of d (x - mean), in f64.
struct BatchNormGradientTerms {
  static constexpr unsigned kSums = 2;
  BatchNormUndone d;
  const float *x, *mean;
  BatchNormRows rows;

  PLAIT_ANYWHERE void add(uint64_t at, uint64_t channel, double* sums) const {
    if (!rows.have(at)) return;
    const auto u = static_cast<double>(d(at));
    sums[0] += u;
    sums[1] += u * (static_cast<double>(x[at]) - static_cast<double>(mean[channel]));
  }
};

// Of each channel: dx = a (dy - dy0) + b (x - x0), where x0 is the saved mean.
struct BatchNormSlopes {
  float *a, *b, *dy0;
};

// With z = (x - m) i: dbias = sum dy, dweight = sum dy z, dx = w i (dy - dbias / n - z dweight / n).
struct BatchNormGradients {
  double count;
  uint64_t channels;
  const float *weight, *saved;
  float *dweight, *dbias;  // null where they are not needed
  BatchNormSlopes to;

  PLAIT_ANYWHERE void operator()(uint64_t k, const double* sums) const {
    const double inverse = saved[channels + k], by_weight = sums[1] * inverse;
    if (dweight) dweight[k] = static_cast<float>(by_weight);
    if (dbias) dbias[k] = static_cast<float>(sums[0]);
    const double scale = weight[k] * inverse, slope = scale * inverse * by_weight / count;
    to.a[k] = static_cast<float>(scale);
    to.b[k] = static_cast<float>(-slope);
    to.dy0[k] = static_cast<float>(sums[0] / count);
  }
};

struct BatchNormInputGradient {
  uint64_t channels;
  BatchNormUndone d;
  const float *x, *mean;
  float* dx;
  BatchNormSlopes by;
  BatchNormRows rows;

  struct Pair {
    float x, dy;
  };
  PLAIT_ANYWHERE Pair load(uint64_t i) const { return {x[i], d(i)}; }
  PLAIT_ANYWHERE void store(uint64_t i, Pair p) const {
    const uint64_t k = plait::sdk::gpu::divide(i, channels).remainder;
    dx[i] = rows.have(i) ? by.a[k] * (p.dy - by.dy0[k]) + by.b[k] * (p.x - mean[k]) : 0.0f;
  }
};

// Frozen: neither parameters nor statistics change, and dx = factor dy.
struct BatchNormFixedGradient {
  uint64_t channels;
  BatchNormUndone d;
  const float* factor;
  float* dx;
  BatchNormRows rows;

  PLAIT_ANYWHERE float load(uint64_t i) const { return d(i); }
  PLAIT_ANYWHERE void store(uint64_t i, float value) const {
    const float slope = factor[plait::sdk::gpu::divide(i, channels).remainder];
    dx[i] = rows.have(i) ? slope * value : 0.0f;
  }
};

}  // namespace layers
