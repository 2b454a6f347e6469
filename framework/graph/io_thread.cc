#include "graph/io_thread.h"

#include "graph/float_state.h"

namespace plait {

IoThread::~IoThread() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void IoThread::post(Task& task) {
  {
    const std::lock_guard lock(mutex_);
    task.next_ = nullptr;
    (first_ == nullptr ? first_ : last_->next_) = &task;
    last_ = &task;
  }
  changed_.notify_one();
}

IoThread::Task* IoThread::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return first_ != nullptr || ending_; });
  Task* task = first_;
  if (task != nullptr) first_ = task->next_;
  return task;
}

void IoThread::run() {
  const FloatState state;
  while (Task* task = next()) task->run();
}

}  // namespace plait
