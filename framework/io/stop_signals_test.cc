#include "io/stop_signals.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "io/child_process.h"
#include "io/failed_writes.h"

using namespace plait;

namespace {

constexpr std::chrono::seconds kLong{60};
constexpr unsigned kLonger_us = 200'000;  // than one wish

// How a process ends that does this while it listens.
Ending ending(const std::function<int(const StopSignals& signals)>& does) {
  auto loop = WaitLoop::create();
  REQUIRE(loop);
  const auto work = [&](int) {
    const auto signals = StopSignals::create();
    return signals ? does(**signals) : 100;
  };
  auto child = ChildProcess::fork(*loop, work, {.writes_core = false, .default_signals = true});
  REQUIRE(child);
  REQUIRE(child.value().wait(kLong));
  return child->ending();
}

bool comes(const StopSignals& signals) {
  for (int i = 0; i < 10'000 && !signals.is_asked(); ++i) ::usleep(1000);
  return signals.is_asked();
}

}  // namespace

TEST_CASE("each of four signals asks to stop") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    CAPTURE(signal);
    const auto stops = [signal](const StopSignals& signals) {
      if (signals.is_asked()) return 1;
      ::raise(signal);
      return comes(signals) ? 0 : 2;
    };
    CHECK(ending(stops).text() == "");
  }
}

TEST_CASE("a second Ctrl-C ends the process, whatever asked first") {
  for (const int first : {SIGINT, SIGTERM}) {
    const auto stops = [first](const StopSignals& signals) {
      ::raise(first);
      if (!comes(signals)) return 2;
      ::usleep(kLonger_us);
      ::raise(SIGINT);
      ::sleep(60);
      return 3;
    };
    CHECK(ending(stops).signal == SIGINT);
  }
}

TEST_CASE("what systems send may come again, and a wish may come twice at once") {
  const auto stops = [](const StopSignals& signals) {
    ::raise(SIGINT);
    ::raise(SIGINT);
    if (!comes(signals)) return 2;
    ::usleep(kLonger_us);
    for (const int signal : {SIGTERM, SIGHUP, SIGUSR1, SIGTERM}) ::raise(signal);
    ::usleep(kLonger_us);
    return 0;
  };
  CHECK(ending(stops).text() == "");
}

TEST_CASE("what the caller ignores stays ignored") {
  auto loop = WaitLoop::create();
  REQUIRE(loop);
  const auto work = [](int) {
    for (const int signal : {SIGINT, SIGHUP}) std::signal(signal, SIG_IGN);
    const auto signals = StopSignals::create();
    if (!signals) return 100;
    for (const int signal : {SIGINT, SIGHUP, SIGINT}) ::raise(signal);
    ::usleep(kLonger_us);
    return (*signals)->is_asked() ? 1 : 0;
  };
  auto child = ChildProcess::fork(*loop, work, {});
  REQUIRE(child);
  REQUIRE(child.value().wait(kLong));
  CHECK(child->ending().text() == "");
}

TEST_CASE("a system call that a signal interrupts goes on") {
  const auto reads = [](const StopSignals& signals) {
    int ends[2];
    if (::pipe(ends) != 0) return 100;
    const pthread_t reader = ::pthread_self();
    std::thread other([&] {
      ::usleep(50'000);
      ::pthread_kill(reader, SIGTERM);
      comes(signals);
      ::usleep(50'000);
      if (::write(ends[1], "x", 1) != 1) ::_exit(101);
    });
    char got = 0;
    const ssize_t count = ::read(ends[0], &got, 1);
    other.join();
    return count == 1 && got == 'x' && signals.is_asked() ? 0 : 1;
  };
  CHECK(ending(reads).text() == "");
}

TEST_CASE("a program that is begun while somebody listens has the signals as they were") {
  const auto begins = [](const StopSignals& signals) {
    auto loop = WaitLoop::create();
    auto child = ChildProcess::start(*loop, {"sh", "-c", "kill -TERM $$; sleep 60"}, {});
    if (!child || !child.value().wait(kLong)) return 1;
    ::usleep(kLonger_us);
    return child->ending().signal == SIGTERM && !signals.is_asked() ? 0 : 2;
  };
  CHECK(ending(begins).text() == "");
}

TEST_CASE("after the end the signals are the system's again") {
  auto loop = WaitLoop::create();
  REQUIRE(loop);
  const auto work = [](int) {
    StopSignals::create().status().is_ok();
    ::raise(SIGTERM);
    return 0;
  };
  auto child = ChildProcess::fork(*loop, work, {.writes_core = false, .default_signals = true});
  REQUIRE(child);
  REQUIRE(child.value().wait(kLong));
  CHECK(child->ending().signal == SIGTERM);
}

TEST_CASE("a reader that has gone is a failed write") {
  auto loop = WaitLoop::create();
  REQUIRE(loop);
  const auto work = [](int) {
    fail_writes_instead_of(SIGPIPE);
    int ends[2];
    if (::pipe(ends) != 0) return 100;
    ::close(ends[0]);
    return ::write(ends[1], "x", 1) < 0 && errno == EPIPE ? 0 : 1;
  };
  auto child = ChildProcess::fork(*loop, work, {.default_signals = true});
  REQUIRE(child);
  REQUIRE(child.value().wait(kLong));
  CHECK(child->ending().text() == "");
}
