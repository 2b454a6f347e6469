// Pauses of a thread that polls: none for the first 50 us, where a fast peer answers, then sleeps of 20 to
// 200 us, so that a slow one does not cost a core.
#pragma once
#include <time.h>

#include <algorithm>
#include <chrono>

namespace plait::inline cluster {

class Nap {
 public:
  void rest() {
    if (!is_sleeping_ && Time::now() - start_ < std::chrono::microseconds(50)) return;
    is_sleeping_ = true;
    const timespec pause{0, length_ns_};
    ::nanosleep(&pause, nullptr);
    length_ns_ = std::min(2 * length_ns_, 200'000L);
  }
  bool is_sleeping() const { return is_sleeping_; }

 private:
  using Time = std::chrono::steady_clock;
  Time::time_point start_ = Time::now();
  bool is_sleeping_ = false;
  long length_ns_ = 20'000;
};

}  // namespace plait::inline cluster
