// Vectors of f32 for plugins with kernels of their own: one source, compiled for every instruction set, the
// best one chosen at run time. Optional; sdk.hpp does not include it.
//
//   // kernels.inc.hpp: no include, no include guard; every name lives in PLAIT_SIMD
//   namespace PLAIT_SIMD {
//   inline void scale(const float* x, float a, float* y, size_t n) {
//     each(n, [&](size_t i, size_t lanes) { store(y + i, mul(load(x + i, lanes), set(a)), lanes); });
//   }
//   }  // namespace PLAIT_SIMD
//
//   // kernels.cc
//   #include <plait/simd/base.hpp>
//   #include "kernels.inc.hpp"
//   #include <plait/simd/avx2.hpp>
//   #include "kernels.inc.hpp"
//   #include <plait/simd/avx512.hpp>
//   #include "kernels.inc.hpp"
//   #include <plait/simd/end.hpp>
//   void scale(...) { PLAIT_SIMD_CALL(scale, x, a, y, n); }
//
// A namespace holds: Vec; kWidth (lanes of a Vec), kRegisters (vector registers); zero, set, load, store (all
// lanes or the first n), fma (a * b + c, rounded once where the instruction set can), add, sub, mul, div,
// max, min, where_above, where_above_or_nan, where_equal, sum, transpose4, load_fours, store_four,
// load_bytes, store_bytes, each, exp, tanh, sigmoid, activate and slope (of an Activation). The same source
// gives other bits on another instruction set; on one set always the same. Threads: [any]
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace plait::sdk {

enum class Simd { kBase, kAvx2, kAvx512 };

// Compile with -DPLAIT_SIMD_AT_MOST=0 or 1 to try the code for lesser processors, or run with
// PLAIT_MAX_CPU_ISA.
#ifndef PLAIT_SIMD_AT_MOST
#define PLAIT_SIMD_AT_MOST 2
#endif

// What a person allows at most: the environment's PLAIT_MAX_CPU_ISA in words of oneDNN, SSE41 or AVX2;
// without it, or with another, all.
inline Simd allowed_simd() {
  const char* const word = std::getenv("PLAIT_MAX_CPU_ISA");
  const std::string_view most = word == nullptr ? "" : word;
  if (most == "SSE41" || most == "sse41") return Simd::kBase;
  return most == "AVX2" || most == "avx2" ? Simd::kAvx2 : Simd::kAvx512;
}

// The best set of this processor that is allowed.
inline Simd best_simd() {
#if defined(__x86_64__)
  static const Simd best = [] {
    const Simd most = allowed_simd();
    __builtin_cpu_init();
    if (PLAIT_SIMD_AT_MOST >= 2 && most >= Simd::kAvx512 && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw")) {
      return Simd::kAvx512;
    }
    if (PLAIT_SIMD_AT_MOST >= 1 && most >= Simd::kAvx2 && __builtin_cpu_supports("avx2") &&
        __builtin_cpu_supports("fma")) {
      return Simd::kAvx2;
    }
    return Simd::kBase;
  }();
  return best;
#else
  return Simd::kBase;
#endif
}

// A function that is applied to each element of an output: what an absorbed plait_epilogue says, ready for
// use.
struct Activation {
  enum class Kind { kIdentity, kRelu, kTanh, kSigmoid, kLinear };
  Kind kind = Kind::kIdentity;
  float alpha = 0, beta = 0;  // relu: alpha is the slope below zero, at least 0; linear: alpha x + beta

  static constexpr const char* kNames[] = {"relu", "tanh", "sigmoid", "linear"};
  // Of any but the identity: one of kNames.
  const char* name() const { return kNames[static_cast<int>(kind) - 1]; }
  // False when the name is none of kNames.
  bool set(std::string_view name, double alpha_, double beta_) {
    alpha = static_cast<float>(alpha_), beta = static_cast<float>(beta_);
    for (int i = 0; i < 4; ++i) {
      if (name == kNames[i]) return kind = static_cast<Kind>(i + 1), true;
    }
    return false;
  }
};

}  // namespace plait::sdk

// Calls the function of the best instruction set; several sets have the function under one name.
#if defined(__x86_64__)
#define PLAIT_SIMD_CALL(function, ...)                                                           \
  (::plait::sdk::best_simd() == ::plait::sdk::Simd::kAvx512 ? simd_avx512::function(__VA_ARGS__) \
   : ::plait::sdk::best_simd() == ::plait::sdk::Simd::kAvx2 ? simd_avx2::function(__VA_ARGS__)   \
                                                            : simd_base::function(__VA_ARGS__))
#else
#define PLAIT_SIMD_CALL(function, ...) simd_base::function(__VA_ARGS__)
#endif
