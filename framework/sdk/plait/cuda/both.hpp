// PLAIT_BOTH before a function: it may be called by kernels and by the host. Nothing of CUDA is needed to
// include this, so that arithmetic of kernels is compiled, and tested, where there is no CUDA compiler.
#pragma once

#ifdef __CUDACC__
#define PLAIT_BOTH __host__ __device__
#else
#define PLAIT_BOTH
#endif
