// Compiles PLAIT_SIMD_SOURCE once per instruction set; see simd.hpp. No include guard: once per source file.
#ifndef PLAIT_SIMD_SOURCE
#error "define PLAIT_SIMD_SOURCE before including <plait/simd_targets.hpp>"
#endif
#include <plait/simd.hpp>

#define PLAIT_SIMD simd_base
#include "simd/vec_base.hpp"
#include PLAIT_SIMD_SOURCE
#undef PLAIT_SIMD

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define PLAIT_SIMD simd_avx2
#include "simd/vec_avx2.hpp"
#include PLAIT_SIMD_SOURCE
#undef PLAIT_SIMD
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,prefer-vector-width=512")
#define PLAIT_SIMD simd_avx512
#include "simd/vec_avx512.hpp"
#include PLAIT_SIMD_SOURCE
#undef PLAIT_SIMD
#pragma GCC pop_options
#endif
#undef PLAIT_SIMD_SOURCE
