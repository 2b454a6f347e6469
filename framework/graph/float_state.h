// How floating-point arithmetic behaves on a thread: one fixed choice wherever a plugin computes.
//
// The choice: round to nearest, no traps, and tiny (denormal) numbers are zero both as results and as
// operands; they cost a hundred times a normal one. A library built with -ffast-math changes the state of the
// thread that loads it, and new threads inherit what their maker had: so every task sets the state at its
// entry and looks at it after plugins.
// Threads: [any]; all of it is the calling thread's.
#pragma once
#include <cstdint>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace plait::inline graph {

class FloatState {
 public:
  // Sets the fixed choice; the destructor restores what was there.
  FloatState() : before_(read()) {
    if (before_ != kChoice) write(kChoice);
  }
  ~FloatState() { write(before_); }
  FloatState(const FloatState&) = delete;
  FloatState& operator=(const FloatState&) = delete;

  // Restores the fixed choice; true when somebody had changed it.
  static bool repair() {
    if (read() == kChoice) return false;
    write(kChoice);
    return true;
  }

 private:
#if defined(__SSE__)
  static constexpr uint64_t kChoice = 0x9FC0;  // flush to zero, denormals are zero, all exceptions masked
  static constexpr uint64_t kFlags = 0x3F;     // what has happened so far: no state
  static uint64_t read() { return _mm_getcsr() & ~kFlags; }
  static void write(uint64_t state) { _mm_setcsr(static_cast<unsigned>(state)); }
#elif defined(__aarch64__)
  static constexpr uint64_t kChoice = uint64_t{1} << 24;  // FPCR.FZ
  static uint64_t read() {
    uint64_t state;
    asm volatile("mrs %0, fpcr" : "=r"(state));
    return state;
  }
  static void write(uint64_t state) { asm volatile("msr fpcr, %0" : : "r"(state)); }
#else
  static constexpr uint64_t kChoice = 0;
  static uint64_t read() { return kChoice; }
  static void write(uint64_t) {}
#endif
  uint64_t before_;
};

}  // namespace plait::inline graph
