// One thread for calls that wait for a disk or a network, so that no thread that computes ever does.
#pragma once
#include <condition_variable>
#include <mutex>
#include <thread>

namespace plait {

// Runs tasks one after the other, in the order of posting.
// Threads: [any]
class IoThread {
 public:
  // Work that can be posted again once it has run. Lives at least until then.
  class Task {
   public:
    virtual ~Task() = default;
    virtual void run() = 0;

   private:
    friend class IoThread;
    Task* next_ = nullptr;
  };

  IoThread() : thread_([this] { run(); }) {}
  ~IoThread();  // after what has been posted has run
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // `task` is not under way. Does not allocate.
  void post(Task& task);

 private:
  void run();
  Task* next();

  std::mutex mutex_;
  std::condition_variable changed_;
  Task* first_ = nullptr;
  Task* last_ = nullptr;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace plait
