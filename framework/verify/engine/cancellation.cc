#include "verify/engine/cancellation.h"

#include <algorithm>
#include <chrono>

namespace plait::inline verify {
namespace {

std::atomic<Cancellation*> current{nullptr};

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Cancellation::Cancellation(CallContext& context)
    : context_(context.raw()), parallel_for_(context_->parallel_for), cancelled_(context_->cancelled) {
  context_->parallel_for = loop;
  context_->cancelled = cancelled;
  current = this;
}

Cancellation::~Cancellation() {
  context_->parallel_for = parallel_for_;
  context_->cancelled = cancelled_;
  current = nullptr;
}

void Cancellation::at_tick(uint64_t tick) { at_ = tick, ticks_ = 0, told_ = false; }

double Cancellation::seconds_since_told() const {
  return told_ ? static_cast<double>(now_ns() - told_at_ns_) * 1e-9 : 0;
}

bool Cancellation::tick() {
  if (ticks_.fetch_add(1) < at_) return false;
  if (!told_.exchange(true)) told_at_ns_ = now_ns();
  return true;
}

int Cancellation::loop(plait_context*, uint64_t count, uint64_t grain, int (*body)(void*, uint64_t, uint64_t),
                       void* user) {
  const uint64_t piece = grain > 0 ? grain : count;
  for (uint64_t begin = 0; begin < count;) {
    const uint64_t end = begin + std::min(piece, count - begin);
    if (current.load()->tick() || body(user, begin, end) != PLAIT_OK) return PLAIT_FAILED;
    begin = end;
  }
  return PLAIT_OK;
}

int32_t Cancellation::cancelled(plait_context*) { return current.load()->tick(); }

}  // namespace plait::inline verify
