#include "io/exit_watch.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

namespace plait::inline io {
namespace {

using boost::system::error_code;

constexpr std::chrono::milliseconds kLookEvery{5};

// glibc has the call since 2.36 only.
int descriptor_of(pid_t process) {
#ifdef SYS_pidfd_open
  return static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
#else
  static_cast<void>(process);
  return errno = ENOSYS, -1;
#endif
}

// Where somebody has this process ignore its children, they are gone when they end.
bool has_ended(pid_t child) {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0)
    return errno == ECHILD;
  return info.si_pid == child;
}

}  // namespace

struct ExitWatch::Body {
  boost::asio::posix::stream_descriptor process;
  boost::asio::steady_timer timer;
  pid_t child;
  std::function<void()> on_end;
};

ExitWatch::ExitWatch(boost::asio::io_context& context, pid_t child, std::function<void()> on_end)
    : body_(new Body{boost::asio::posix::stream_descriptor(context), boost::asio::steady_timer(context),
                     child, std::move(on_end)}) {}
ExitWatch::~ExitWatch() = default;

std::shared_ptr<ExitWatch> ExitWatch::begin(boost::asio::io_context& context, pid_t child,
                                            std::function<void()> on_end, bool may_use_descriptor) {
  auto watch = std::make_shared<ExitWatch>(context, child, std::move(on_end));
  if (!may_use_descriptor || !watch->watch_descriptor()) watch->look();
  return watch;
}

bool ExitWatch::watch_descriptor() {
  const int descriptor = descriptor_of(body_->child);
  if (descriptor < 0) return false;
  error_code refused;
  body_->process.assign(descriptor, refused);  // returns nothing in some versions
  if (refused) return ::close(descriptor), false;
  body_->process.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                            [self = shared_from_this()](const error_code& error) {
                              if (!error) self->end();
                            });
  return true;
}

void ExitWatch::look() {
  const bool ended = has_ended(body_->child);
  body_->timer.expires_after(ended ? std::chrono::milliseconds(0) : kLookEvery);
  body_->timer.async_wait([self = shared_from_this(), ended](const error_code& error) {
    if (error) return;
    ended ? self->end() : self->look();
  });
}

void ExitWatch::end() {
  const std::function<void()> on_end = std::exchange(body_->on_end, nullptr);
  cancel();
  if (on_end) on_end();
}

void ExitWatch::cancel() {
  body_->on_end = nullptr;
  error_code ignored;
  body_->process.close(ignored);
  body_->timer.cancel();
}

}  // namespace plait::inline io
