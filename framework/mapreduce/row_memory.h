// What rows of records may hold on a rank: those of a task's accumulators, or of metrics.
#pragma once
#include <atomic>
#include <cstdint>

namespace plait::inline mapreduce {

// Shared by all that append. Threads: [any]
class RowMemory {
 public:
  explicit RowMemory(uint64_t bound_bytes) : bound_(bound_bytes) {}
  bool take(uint64_t bytes) {
    if (used_.fetch_add(bytes) + bytes <= bound_) return true;
    used_ -= bytes;
    return false;
  }
  void clear() { used_ = 0; }
  uint64_t bound() const { return bound_; }

 private:
  uint64_t bound_;
  std::atomic<uint64_t> used_ = 0;
};

}  // namespace plait::inline mapreduce
