// PLAIT_FAST before a function: its loops are vectorised, in one copy per instruction set; the widest that
// the processor has is taken when the library is loaded. Not for templates or lambdas: mark a plain function,
// and put the loop into it. A loop with a square root vectorises only in a file compiled with
// -fno-math-errno.
//
//   PLAIT_FAST void add(float* to, const float* from, size_t count) {
//     for (size_t i = 0; i < count; ++i) to[i] += from[i];
//   }
//
// PLAIT_INLINE before a helper that such a function calls: it becomes a part of each copy.
// The same bits on every processor of one instruction set; another set may contract a * b + c.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define PLAIT_FAST                                             \
  __attribute__((optimize("O3", "no-trapping-math"), noinline, \
                 target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define PLAIT_FAST
#endif
#define PLAIT_INLINE __attribute__((always_inline)) inline
