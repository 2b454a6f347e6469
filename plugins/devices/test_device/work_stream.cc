#include "work_stream.h"

#include <plait/sdk.hpp>

#include <cstring>

namespace plait::test_device {

WorkStream::WorkStream(void* device) : device_(device), thread_([this] { work(); }) {}

WorkStream::~WorkStream() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WorkStream::enqueue(Run run, const void* args, size_t bytes) {
  if (bytes > kMaxBytes) throw sdk::Error("work has ", bytes, " bytes of arguments, at most ", kMaxBytes);
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ < kDepth; });
    report_failure();
    Piece& piece = ring_[(first_ + waiting_) % kDepth];
    piece.run = run;
    if (bytes > 0) std::memcpy(piece.args.data(), args, bytes);
    ++waiting_;
  }
  changed_.notify_all();
}

void WorkStream::synchronize() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_ == 0; });
  report_failure();
}

void WorkStream::report_failure() {
  if (!failure_) return;
  const char* const text = std::exchange(failure_, nullptr);
  throw sdk::Error(sdk::ErrorCode::kException, text);
}

void WorkStream::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return waiting_ > 0 || closing_; });
    if (waiting_ == 0) return;
    const Piece& piece = ring_[first_];
    const char* failure = failure_;
    if (!failure) {
      lock.unlock();
      failure = piece.run(device_, piece.args.data());
      lock.lock();
    }
    failure_ = failure;
    first_ = (first_ + 1) % kDepth;
    --waiting_;
    changed_.notify_all();
  }
}

}  // namespace plait::test_device
