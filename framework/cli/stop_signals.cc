#include "cli/stop_signals.h"

#include <csignal>

namespace plait {
namespace {

std::atomic<bool> stop_asked{false};

void on_signal(int signal) {
  stop_asked.store(true);
  std::signal(signal, SIG_DFL);
}

}  // namespace

const std::atomic<bool>& watch_stop_signals() {
  for (int signal : {SIGINT, SIGTERM, SIGUSR1}) std::signal(signal, on_signal);
  return stop_asked;
}

}  // namespace plait
