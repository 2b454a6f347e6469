#include "registry/trial.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

using namespace plait;

namespace {

// What a "path" does to the process that tries it.
bool act(const std::string& path) {
  if (path == "bad") return false;
  if (path == "crash") std::raise(SIGSEGV);
  if (path == "abort") std::fputs("one\ntwo\tthree\n\n", stderr), std::abort();
  if (path == "exit") std::puts("bye"), std::exit(0);
  if (path == "say") std::puts("well done");
  if (path == "hang")
    for (;;) ::pause();
  if (path == "talk")
    for (;;) std::puts("and another thing");
  if (path == "leave") {
    // A child of the child that holds its pipes open.
    if (::fork() == 0)
      for (;;) ::pause();
    ::_exit(4);
  }
  return true;
}

std::string reason(const std::string& path, double limit_s = 20) {
  return try_in_child({path}, act, limit_s).front().reason;
}

}  // namespace

TEST_CASE("what comes back is good or refused; what ends the child is named, and the rest goes on") {
  const auto trials = try_in_child({"a", "crash", "bad", "exit", "b"}, act, 20);
  using Outcome = LoadTrial::Outcome;
  const Outcome wanted[] = {Outcome::kGood, Outcome::kCrashed, Outcome::kRefused, Outcome::kCrashed,
                            Outcome::kGood};
  REQUIRE(trials.size() == 5);
  for (size_t i = 0; i < 5; ++i) CHECK(trials[i].outcome == wanted[i]);
  CHECK(trials[0].reason.empty());
  CHECK(try_in_child({}, act, 20).empty());
}

TEST_CASE("the reason names signal or status, and the last words") {
  CHECK(reason("crash") == "crashes when it is loaded: SIGSEGV (Segmentation fault)");
  CHECK(reason("abort") == "crashes when it is loaded: SIGABRT (Aborted); it says \"two three\"");
  const auto after_words = try_in_child({"exit", "abort", "crash", "a", "crash"}, act, 20);
  CHECK(after_words[2].reason == reason("crash"));
  CHECK(after_words[4].reason == reason("crash"));
  CHECK(try_in_child({"say", "crash"}, act, 20)[1].reason == reason("crash"));  // what it says is its own
  CHECK(reason("exit") == "ends the program with status 0 when it is loaded; it says \"bye\"");
}

TEST_CASE("what does not come back ends at the limit, silent or not") {
  for (const char* path : {"hang", "talk"})
    CHECK(reason(path, 0.2) == "does not come back within 0.2 s when it is loaded");
}

TEST_CASE("a process that is left behind is waited for by nobody") {
  constexpr double kNever_s = 1e6;  // longer than this test may take
  CHECK(reason("leave", kNever_s) == "ends the program with status 4 when it is loaded");
}

TEST_CASE("a process with threads can make a trial too") {
  std::jthread other([](std::stop_token stop) {
    while (!stop.stop_requested()) std::this_thread::yield();
  });
  CHECK(try_in_child({"a"}, act, 20).front().outcome == LoadTrial::Outcome::kGood);
}

TEST_CASE("a process that ignores its children is told what it can be") {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  CHECK(reason("abort") == "ends the program when it is loaded; it says \"two three\"");
  CHECK(try_in_child({"a"}, act, 20).front().outcome == LoadTrial::Outcome::kGood);
  std::signal(SIGCHLD, before);
}
