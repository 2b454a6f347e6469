// Waiting for several things at once, by the thread that asks: no other thread is needed, as where a process
// is about to fork.
#pragma once
#include <chrono>
#include <memory>

#include "base/status.h"

namespace plait::inline io {

// Threads: [one at a time]
class WaitLoop {
 public:
  // Fails with: kIo when the system gives no more descriptors.
  static Result<WaitLoop> create();
  WaitLoop(WaitLoop&& other) noexcept;
  WaitLoop& operator=(WaitLoop&& other) = delete;
  ~WaitLoop();

  // Waits for the next thing that happens to what was begun with this loop (a child wrote, a child ended),
  // and handles it. False when nothing has happened within `patience`.
  bool wait(std::chrono::nanoseconds patience);

  struct Body;  // for io/ alone
  Body& body() { return *body_; }

 private:
  explicit WaitLoop(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace plait::inline io
