// What follows is compiled for AVX2 with FMA, in namespace simd_avx2. After base.hpp; see ../simd.hpp.
#undef PLAIT_SIMD
#define PLAIT_SIMD simd_avx2
#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#include "vec_avx2.hpp"
#else
#include "vec_base.hpp"
#endif
