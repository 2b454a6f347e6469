// What a stage's pairs take in memory, counted where it is allocated: now, and at most so far.
#pragma once
#include <atomic>
#include <cstdint>

namespace plait::inline mapreduce {

// Of one rank. Threads: [any]
class HeldBytes {
 public:
  // What one owner holds; `of` may be null. Threads: [one at a time]
  class Part {
   public:
    explicit Part(HeldBytes* of, uint64_t bytes = 0) : of_(of) { set(bytes); }
    ~Part() { set(0); }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    // From now on that many.
    void set(uint64_t bytes) {
      if (of_ != nullptr && bytes != bytes_) of_->change(static_cast<int64_t>(bytes - bytes_));
      bytes_ = bytes;
    }

   private:
    HeldBytes* of_;
    uint64_t bytes_ = 0;
  };

  int64_t most() const { return most_; }

 private:
  void change(int64_t by) {
    const int64_t now = now_.fetch_add(by) + by;
    int64_t most = most_;
    while (most < now && !most_.compare_exchange_weak(most, now)) {
    }
  }
  std::atomic<int64_t> now_ = 0, most_ = 0;
};

}  // namespace plait::inline mapreduce
