#include "cli/stop_signals.h"

#include <time.h>

#include <csignal>
#include <cstdint>

namespace plait {
namespace {

// `timeout` and some launchers send a signal to the process and to its group: twice, for one wish. No person
// is as fast.
constexpr int64_t kOneWish_ms = 50;

std::atomic<bool> stop_asked{false};
std::atomic<int64_t> asked_at_ms{0};

int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// Only Ctrl-C hurries: what systems send (SIGTERM, SIGHUP, SIGUSR1) may come in a row while the run saves.
void on_signal(int signal) {
  if (!stop_asked.exchange(true)) {
    asked_at_ms = now_ms();
  } else if (signal == SIGINT && now_ms() - asked_at_ms > kOneWish_ms) {
    std::signal(signal, SIG_DFL);
    ::raise(signal);
  }
}

void on_broken_pipe(int) {}

bool is_ignored(int signal) {
  struct sigaction present {};
  return ::sigaction(signal, nullptr, &present) == 0 && present.sa_handler == SIG_IGN;
}

}  // namespace

const std::atomic<bool>& watch_stop_signals() {
  for (const int signal : {SIGINT, SIGHUP})
    if (!is_ignored(signal)) std::signal(signal, on_signal);
  for (const int signal : {SIGTERM, SIGUSR1}) std::signal(signal, on_signal);
  std::signal(SIGPIPE, on_broken_pipe);  // a handler, unlike SIG_IGN, is not passed on to child programs
  return stop_asked;
}

}  // namespace plait
