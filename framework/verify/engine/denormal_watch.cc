#include "verify/engine/denormal_watch.h"

#include <signal.h>

#include <atomic>

#if defined(__x86_64__) && defined(__linux__)
#include <ucontext.h>
#include <xmmintrin.h>
#endif

namespace plait::inline verify {
#if defined(__x86_64__) && defined(__linux__)
namespace {

constexpr unsigned kDenormalMask = 0x100, kDenormalFlag = 0x2;  // of MXCSR

std::atomic<uint64_t> seen{0};
struct sigaction before;

// The instruction is made again, masked. Other faults (a division of integers by zero) are as ever.
void on_fault(int, siginfo_t* info, void* context) {
  if (info->si_code != FPE_FLTUND) {
    ::sigaction(SIGFPE, &before, nullptr);
    return;
  }
  ++seen;
  auto& mxcsr = static_cast<ucontext_t*>(context)->uc_mcontext.fpregs->mxcsr;
  mxcsr = (mxcsr | kDenormalMask) & ~kDenormalFlag;
}

}  // namespace

DenormalWatch::DenormalWatch() {
  seen = 0;
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGFPE, &action, &before);
  _mm_setcsr(_mm_getcsr() & ~(kDenormalMask | kDenormalFlag));
}

DenormalWatch::~DenormalWatch() {
  _mm_setcsr((_mm_getcsr() | kDenormalMask) & ~kDenormalFlag);
  ::sigaction(SIGFPE, &before, nullptr);
}

uint64_t DenormalWatch::events() const { return seen; }
#else
DenormalWatch::DenormalWatch() = default;
DenormalWatch::~DenormalWatch() = default;
uint64_t DenormalWatch::events() const { return 0; }
#endif

}  // namespace plait::inline verify
