#include "cluster/exact_kernels.h"

#include <bit>
#include <limits>

// Loops are vectorized whatever the build's level of optimization. Without trapping maths rint needs no
// guard.
#pragma GCC optimize("O3", "no-trapping-math", "no-math-errno")

namespace plait {
namespace {

#define PLAIT_LOOP [[gnu::always_inline]] inline

PLAIT_LOOP uint32_t magnitude_loop(const float* x, size_t n) {
  int32_t largest = 0;
  for (size_t i = 0; i < n; ++i) {
    const int32_t bits = std::bit_cast<int32_t>(x[i]) & 0x7fffffff;
    largest = bits > largest ? bits : largest;
  }
  return static_cast<uint32_t>(largest);
}

PLAIT_LOOP void add_loop(int32_t* __restrict sum, const float* __restrict x, size_t n, float scale,
                         int32_t weight) {
  if (weight == 1) {
    for (size_t i = 0; i < n; ++i) sum[i] += static_cast<int32_t>(__builtin_rintf(x[i] * scale));
  } else {
    for (size_t i = 0; i < n; ++i) sum[i] += weight * static_cast<int32_t>(__builtin_rintf(x[i] * scale));
  }
}

// Instruction sets before AVX-512 convert vectors of f64 to 32-bit integers only, so the product is split
// into high * 2^31 + low. Both parts are exact, and ties stay even because 2^31 is. Needs |x * scale| < 2^62.
PLAIT_LOOP void add_loop(int64_t* __restrict sum, const float* __restrict x, size_t n, float scale,
                         int32_t weight) {
  const double wide_scale = scale;
  for (size_t i = 0; i < n; ++i) {
    const double product = static_cast<double>(x[i]) * wide_scale;
    const double high = __builtin_rint(product * 0x1p-31);
    const double low = __builtin_rint(product - high * 0x1p31);
    const int64_t q = (int64_t{static_cast<int32_t>(high)} << 31) + static_cast<int32_t>(low);
    sum[i] += weight * q;
  }
}

constexpr double kLargest = std::numeric_limits<float>::max();

template <class Integer>
PLAIT_LOOP void mean_loop(float* __restrict out, const Integer* __restrict sum, size_t n, double unit,
                          double total_weight) {
  for (size_t i = 0; i < n; ++i) {
    const double mean = static_cast<double>(sum[i]) * unit / total_weight;
    const double held = mean > kLargest ? kLargest : mean < -kLargest ? -kLargest : mean;
    out[i] = static_cast<float>(__builtin_fabs(held) < 0x1p-126 ? 0.0 : held);
  }
}

// One table of loops for each instruction set; the bodies above are inlined into functions of that set.
struct Loops {
  uint32_t (*magnitude)(const float*, size_t);
  void (*add32)(int32_t*, const float*, size_t, float, int32_t);
  void (*add64)(int64_t*, const float*, size_t, float, int32_t);
  void (*mean32)(float*, const int32_t*, size_t, double, double);
  void (*mean64)(float*, const int64_t*, size_t, double, double);
};

#define PLAIT_LOOPS(name, ...)                                                              \
  namespace name {                                                                          \
  __VA_ARGS__ uint32_t magnitude(const float* x, size_t n) { return magnitude_loop(x, n); } \
  __VA_ARGS__ void add32(int32_t* s, const float* x, size_t n, float k, int32_t w) {        \
    add_loop(s, x, n, k, w);                                                                \
  }                                                                                         \
  __VA_ARGS__ void add64(int64_t* s, const float* x, size_t n, float k, int32_t w) {        \
    add_loop(s, x, n, k, w);                                                                \
  }                                                                                         \
  __VA_ARGS__ void mean32(float* o, const int32_t* s, size_t n, double u, double w) {       \
    mean_loop(o, s, n, u, w);                                                               \
  }                                                                                         \
  __VA_ARGS__ void mean64(float* o, const int64_t* s, size_t n, double u, double w) {       \
    mean_loop(o, s, n, u, w);                                                               \
  }                                                                                         \
  constexpr Loops kLoops = {magnitude, add32, add64, mean32, mean64};                       \
  }

PLAIT_LOOPS(plain)
#ifdef __x86_64__
PLAIT_LOOPS(avx2, __attribute__((target("avx2"))))
PLAIT_LOOPS(avx512, __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"))))
#endif

const Loops& choose_loops() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return avx512::kLoops;
  if (__builtin_cpu_supports("avx2")) return avx2::kLoops;
#endif
  return plain::kLoops;
}

const Loops& loops() {
  static const Loops& chosen = choose_loops();
  return chosen;
}

}  // namespace

uint32_t largest_magnitude_bits(std::span<const float> x) { return loops().magnitude(x.data(), x.size()); }

void add_scaled(std::span<int32_t> sum, std::span<const float> x, float scale, int32_t weight) {
  loops().add32(sum.data(), x.data(), x.size(), scale, weight);
}

void add_scaled(std::span<int64_t> sum, std::span<const float> x, float scale, int32_t weight) {
  loops().add64(sum.data(), x.data(), x.size(), scale, weight);
}

void write_mean(std::span<float> out, std::span<const int32_t> sum, double unit, double total_weight) {
  loops().mean32(out.data(), sum.data(), sum.size(), unit, total_weight);
}

void write_mean(std::span<float> out, std::span<const int64_t> sum, double unit, double total_weight) {
  loops().mean64(out.data(), sum.data(), sum.size(), unit, total_weight);
}

int32_t to_ordered(float x) {
  const int32_t bits = std::bit_cast<int32_t>(x);
  return bits < 0 ? bits ^ 0x7fffffff : bits;
}

float from_ordered(int32_t ordered) {
  return std::bit_cast<float>(ordered < 0 ? ordered ^ 0x7fffffff : ordered);
}

}  // namespace plait
