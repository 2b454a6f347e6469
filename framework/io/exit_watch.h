// Inside of io/: the end of a process, told to a loop. Includes Asio, so only sources of io/ include it.
//
// No SIGCHLD: its handler would be the whole process's, which plugins share and programs that they start
// wait with.
#pragma once
#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

namespace plait::inline io {

// Threads: [one at a time], with the loop's thread.
class ExitWatch : public std::enable_shared_from_this<ExitWatch> {
 public:
  // Calls `on_end` once, from the loop, when `child` (of this process, not waited for) has ended: waitpid
  // does not wait then. By a descriptor of the process, or where the system has none (Linux before 5.3, some
  // sandboxes) by looking every few milliseconds.
  static std::shared_ptr<ExitWatch> begin(boost::asio::io_context& context, pid_t child,
                                          std::function<void()> on_end, bool may_use_descriptor = true);
  ExitWatch(boost::asio::io_context& context, pid_t child, std::function<void()> on_end);
  ~ExitWatch();
  void cancel();  // on_end is not called any more

 private:
  bool watch_descriptor();
  void look();
  void end();

  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace plait::inline io
