// A call that is told in the middle that its work is no longer wanted.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>

#include "registry/context.h"

namespace plait::inline verify {

// Takes over parallel_for and cancelled of a context: every piece of a loop and every question is a tick, and
// from a chosen tick on the answer is that the call is cancelled: no piece begins any more. Loops run one
// piece after the other on the caller. Threads: one Cancellation at a time in a process; ticks may come from
// any thread.
class Cancellation {
 public:
  explicit Cancellation(CallContext& context);
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  static constexpr uint64_t kNever = UINT64_MAX;
  // Begins to count anew.
  void at_tick(uint64_t tick);
  uint64_t ticks() const { return ticks_; }
  // Whether anybody has been told.
  bool told() const { return told_; }
  // Pieces and questions since it was told.
  uint64_t ticks_since_told() const { return told_ ? ticks_ - std::min<uint64_t>(at_, ticks_) : 0; }
  // Since it was told; 0 when it was not.
  double seconds_since_told() const;

 private:
  static int loop(plait_context* context, uint64_t count, uint64_t grain,
                  int (*body)(void*, uint64_t, uint64_t), void* user);
  static int32_t cancelled(plait_context* context);
  bool tick();

  plait_context* context_;
  int (*parallel_for_)(plait_context*, uint64_t, uint64_t, int (*)(void*, uint64_t, uint64_t), void*);
  int32_t (*cancelled_)(plait_context*);
  uint64_t at_ = kNever;
  std::atomic<uint64_t> ticks_{0};
  std::atomic<bool> told_{false};
  std::atomic<int64_t> told_at_ns_{0};
};

}  // namespace plait::inline verify
