#include "io/stop_signals.h"

#include <signal.h>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "io/failed_writes.h"
#include "io/thread_body.h"

namespace plait::inline io {
namespace {

using Clock = std::chrono::steady_clock;

// `timeout` and some launchers send a signal to the process and to its group: twice, for one wish. No person
// is as fast.
constexpr std::chrono::milliseconds kOneWish{50};

bool is_ignored(int signal) {
  struct sigaction present {};
  return ::sigaction(signal, nullptr, &present) == 0 && present.sa_handler == SIG_IGN;
}

// Asio's handlers interrupt system calls, which plugins and libraries need not expect.
void let_calls_go_on(int signal) {
  struct sigaction action {};
  if (::sigaction(signal, nullptr, &action) != 0) return;
  action.sa_flags |= SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

struct StopSignals::Body {
  explicit Body(std::unique_ptr<IoContext> of)
      : context(std::move(of)), signals(std::in_place, context->body().context) {
    for (const int signal : {SIGINT, SIGHUP})
      if (!is_ignored(signal)) add(signal);
    for (const int signal : {SIGTERM, SIGUSR1}) add(signal);
    listen();
  }
  // The context's thread is the one that may touch the set.
  ~Body() {
    boost::asio::post(context->body().context, [this] { signals.reset(); });
    context.reset();
  }

  void add(int signal) {
    signals->add(signal);
    let_calls_go_on(signal);
  }

  void listen() {
    signals->async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      handle(signal);
      listen();
    });
  }

  // Only Ctrl-C hurries: what systems send (SIGTERM, SIGHUP, SIGUSR1) may come in a row while the run saves.
  void handle(int signal) {
    if (!is_asked.exchange(true)) {
      asked_at = Clock::now();
    } else if (signal == SIGINT && Clock::now() - asked_at > kOneWish) {
      signals->remove(signal);  // what is left is the default, which ends the process
      ::raise(signal);
    }
  }

  std::atomic<bool> is_asked{false};
  Clock::time_point asked_at;
  std::unique_ptr<IoContext> context;
  std::optional<boost::asio::signal_set> signals;
};

Result<std::unique_ptr<StopSignals>> StopSignals::create() {
  PLAIT_ASSIGN(auto context, IoContext::create());
  try {
    return std::unique_ptr<StopSignals>(new StopSignals(std::make_unique<Body>(std::move(context))));
  } catch (const std::exception& refused) {
    return {Code::kIo, std::string("signals cannot be listened to: ") + refused.what()};
  }
}

StopSignals::StopSignals(std::unique_ptr<Body> body) : body_(std::move(body)) {}
StopSignals::~StopSignals() = default;
const std::atomic<bool>& StopSignals::is_asked() const { return body_->is_asked; }

// Never destroyed: a signal at the very end must not end a run that is complete.
Result<const std::atomic<bool>*> watch_stop_signals() {
  static const StopSignals* all = nullptr;
  if (all == nullptr) {
    PLAIT_ASSIGN(auto signals, StopSignals::create());
    all = signals.release();
  }
  fail_writes_instead_of(SIGPIPE);
  return &all->is_asked();
}

}  // namespace plait::inline io
