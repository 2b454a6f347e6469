// A queue of work and the thread that does it, in order. An error stays with the stream until its next call
// reports it; what was queued after the error is left out.
//
// Threads: enqueue and synchronize [one at a time]
#pragma once
#include <array>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace plait::test_device {

using Run = const char* (*)(void* device, const void* args);

class WorkStream {
 public:
  static constexpr size_t kMaxBytes = 240;  // of args
  static constexpr size_t kDepth = 256;     // pieces of work that wait; enqueue waits when there are more

  explicit WorkStream(void* device);
  ~WorkStream();  // waits for what is queued
  WorkStream(const WorkStream&) = delete;
  WorkStream& operator=(const WorkStream&) = delete;

  // Copies args. Allocates nothing. Fails with: kException, the text of an earlier piece of work.
  void enqueue(Run run, const void* args, size_t bytes);
  // Waits for all that is queued. Fails as enqueue does.
  void synchronize();

 private:
  struct Piece {
    Run run;
    alignas(std::max_align_t) std::array<std::byte, kMaxBytes> args;
  };
  void work();
  void report_failure();

  void* device_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Piece> ring_{kDepth};
  size_t first_ = 0, waiting_ = 0;  // of the ring; the first stays in it while it is run
  const char* failure_ = nullptr;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace plait::test_device
