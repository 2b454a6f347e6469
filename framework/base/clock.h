// Time as a value that can be given: schedulers take a Clock, so that tests decide what time it is.
// Nothing that reaches the weights may ask a clock.
#pragma once
#include <atomic>
#include <chrono>

namespace plait::inline base {

// Threads: [any]
class Clock {
 public:
  using Nanoseconds = std::chrono::nanoseconds;
  virtual ~Clock() = default;
  // Time since some fixed start; never goes back. For durations and limits.
  virtual Nanoseconds now() const = 0;
  // Time since 1970-01-01 UTC; may jump. For names and reports.
  virtual Nanoseconds wall() const = 0;
};

inline double seconds_of(Clock::Nanoseconds time) { return std::chrono::duration<double>(time).count(); }

class SystemClock final : public Clock {
 public:
  Nanoseconds now() const override { return std::chrono::steady_clock::now().time_since_epoch(); }
  Nanoseconds wall() const override { return std::chrono::system_clock::now().time_since_epoch(); }
};

// Stands still until told to go on. Both times start at `start`.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Nanoseconds start = {}) : ticks_(start.count()) {}
  void advance(Nanoseconds by) { ticks_ += by.count(); }
  Nanoseconds now() const override { return Nanoseconds(ticks_); }
  Nanoseconds wall() const override { return Nanoseconds(ticks_); }

 private:
  std::atomic<Nanoseconds::rep> ticks_;
};

}  // namespace plait::inline base
