// What follows is compiled for AVX-512, in namespace simd_avx512. After avx2.hpp; see ../simd.hpp.
#undef PLAIT_SIMD
#define PLAIT_SIMD simd_avx512
#if defined(__x86_64__)
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,prefer-vector-width=512")
#include "vec_avx512.hpp"
#else
#include "vec_base.hpp"
#endif
