// PLAIT_ANYWHERE marks a function that runs on the host's processor and in kernels of a device: its
// arithmetic is then tested on the host, against the host's implementation.
//
//   PLAIT_ANYWHERE inline float half(float x) { return x / 2; }
//
// Such a function calls only others like it, and the C library's functions of numbers (expf, sqrtf, fmaf).
#pragma once

#ifdef __CUDACC__
#define PLAIT_ANYWHERE __host__ __device__
#else
#define PLAIT_ANYWHERE
#endif
