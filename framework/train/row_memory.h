// What the rows of metrics may hold on a rank.
#pragma once
#include <atomic>
#include <cstdint>

namespace plait::inline train {

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

}  // namespace plait::inline train
