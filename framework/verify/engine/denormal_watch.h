// Arithmetic on denormals, counted as events: what it costs differs from processor to processor.
#pragma once
#include <cstdint>

namespace plait::inline verify {

// While it lives, arithmetic of the calling thread on a denormal number traps, is counted, and goes on.
// Nothing traps as long as denormals are taken for zero (graph/float_state.h), so that a count means that
// somebody switched that off. Each time that the mode is set anew counts once at most. Elsewhere than on
// x86-64 it counts nothing.
// Threads: one at a time in a process.
class DenormalWatch {
 public:
  DenormalWatch();
  ~DenormalWatch();
  DenormalWatch(const DenormalWatch&) = delete;
  DenormalWatch& operator=(const DenormalWatch&) = delete;

  uint64_t events() const;
};

}  // namespace plait::inline verify
