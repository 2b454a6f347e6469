// Ends what avx512.hpp began; see ../simd.hpp.
#undef PLAIT_SIMD
#if defined(__x86_64__)
#pragma GCC pop_options
#endif
