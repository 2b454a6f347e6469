// One thread for calls that wait for a disk or a network, so that no thread that computes ever does.
#pragma once
#include <cstddef>
#include <memory>

#include "base/status.h"

namespace plait::inline io {

// Runs jobs one after the other, in the order of posting, on a thread of its own. A job that never comes back
// holds up those that follow it, and the destructor: who shares a context shares that.
// Threads: create [any]; post [any]
class IoContext {
 public:
  // Work that can be posted again once it has begun. Lives at least until it has run.
  class Job {
   public:
    virtual ~Job() = default;
    virtual void run() = 0;
    // run() threw, for this reason. An exception ends no more than the job.
    virtual void failed(const char* why) noexcept = 0;

   private:
    friend class IoContext;
    static constexpr size_t kMemory_bytes = 128;
    alignas(std::max_align_t) std::byte memory_[kMemory_bytes];  // of its place in the queue
  };

  // Fails with: kIo when the system makes no thread.
  static Result<std::unique_ptr<IoContext>> create();
  ~IoContext();  // after what has been posted has run
  IoContext(const IoContext&) = delete;
  IoContext& operator=(const IoContext&) = delete;

  // `job` is not in the queue. Does not allocate.
  void post(Job& job);

  struct Body;  // for io/ alone
  Body& body() { return *body_; }

 private:
  explicit IoContext(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace plait::inline io
