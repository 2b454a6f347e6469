// Labels as shares of classes, for augmenters that mix samples or soften what is said of them. Optional;
// sdk.hpp does not include it.
//
//   infer:        infer_shares(parts, label, classes);
//   apply:        write_shares(call, label, classes);
//   apply_batch:  BatchMix mix(call, label); mix.shuffle(call.random()); mix.linear(c, call.part(label),
//   share);
//
// Threads: [any]
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>

#include "sdk/augmenter.hpp"
#include "sdk/random.hpp"

namespace plait::sdk {

// One whole number in the part `label` becomes shares, f32 [classes], which stay as they are where they are
// there already. Throws: Error, by parts.fail.
inline void infer_shares(Parts& parts, const std::string& label, int64_t classes) {
  PartSpec& shares = parts.part(label);
  if (shares.dtype == DType::f32 && shares.shape == std::vector<int64_t>{classes} && shares.variable_axis < 0)
    return;
  const bool one = shares.shape.empty() || (shares.shape.size() == 1 && shares.shape[0] == 1);
  const bool whole = shares.dtype == DType::u8 || shares.dtype == DType::i32 || shares.dtype == DType::i64;
  if (!one || !whole)
    parts.fail("part \"", label, "\" is ", name_of(shares.dtype), std::span<const int64_t>(shares.shape),
               ", wanted one class number, u8, i32 or i64, or shares f32[", classes, "]");
  shares.dtype = DType::f32;
  shares.shape = {classes};
}

namespace detail {

inline int64_t class_number(const Tensor& of) {
  switch (of.dtype()) {
    case DType::u8:
      return of.data<uint8_t>()[0];
    case DType::i32:
      return of.data<int32_t>()[0];
    default:
      return of.data<int64_t>()[0];
  }
}

// The logarithm of a draw from the gamma distribution of this shape, which may be far below what a number
// holds. Source: Marsaglia, Tsang 2000; for shapes below 1 its section 6.
inline double log_gamma_draw(Random& random, double shape) {
  const double boost = shape < 1 ? std::log(random.uniform() + 0x1p-33) / shape : 0;
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal(), v = std::pow(1 + c * x, 3), u = random.uniform() + 0x1p-33;
    if (v > 0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return boost + std::log(d * v);
  }
}

}  // namespace detail

// Of one sample: 1 for its class and 0 for others, or the shares that came. Throws: Error for a class that
// there is not.
inline std::span<float> write_shares(SampleCall& call, const std::string& label, int64_t classes) {
  const Tensor in = call.input(label);
  const std::span<float> shares = call.output(label).f32();
  if (in.dtype() == DType::f32) {
    std::ranges::copy(in.f32(), shares.begin());
    return shares;
  }
  const int64_t number = detail::class_number(in);
  if (number < 0 || number >= classes)
    throw Error("part \"", label, "\" is class ", number, ", wanted 0 .. ", classes - 1);
  std::ranges::fill(shares, 0.0f);
  shares[static_cast<size_t>(number)] = 1;
  return shares;
}

// Of the beta distribution of twice this parameter, in [0, 1].
inline double beta_draw(Random& random, double alpha) {
  const double a = detail::log_gamma_draw(random, alpha), b = detail::log_gamma_draw(random, alpha);
  return 1 / (1 + std::exp(b - a));
}

// A batch and itself in another order, which is drawn.
class BatchMix {
 public:
  static uint64_t workspace_bytes(int64_t batch) { return static_cast<uint64_t>(batch) * sizeof(uint32_t); }

  // `part`: any of the batch's. Takes call.workspace().
  BatchMix(SampleCall& call, const std::string& part)
      : other_(call.workspace<uint32_t>(), static_cast<size_t>(call.input(part).shape(0))) {
    std::iota(other_.begin(), other_.end(), 0u);
  }
  void shuffle(Random& random) { random.shuffle(other_); }
  std::span<const uint32_t> other() const { return other_; }

  // out = share in + (1 - share) in of the other.
  void linear(Context& c, const PartInOut& part, float share) const {
    const float* const in = part.in.f32().data();
    float* const out = part.out.f32().data();
    const size_t each = part.in.size() / other_.size();
    c.parallel_for(other_.size(), 16, [&](size_t n) {
      const float *const x = in + n * each, *const y = in + other_[n] * each;
      for (size_t i = 0; i < each; ++i) out[n * each + i] = share * x[i] + (1 - share) * y[i];
    });
  }

 private:
  std::span<uint32_t> other_;
};

}  // namespace plait::sdk
