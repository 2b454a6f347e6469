#include "io/child_process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/regular_file.h"
#include "io/exit_watch.h"
#include "io/loop_body.h"

using namespace plait;
using namespace std::chrono_literals;

namespace {

constexpr auto kLong = 60s;  // on a machine with much to do
const ChildSetup kReads{.in = ChildSetup::kNowhere, .out = ChildSetup::kRead, .err = ChildSetup::kRead};

WaitLoop make_loop() { return std::move(WaitLoop::create()).value(); }

ChildProcess run(WaitLoop& loop, const std::string& script, const ChildSetup& setup = kReads) {
  auto child = ChildProcess::start(loop, {"sh", "-c", script}, setup);
  REQUIRE(child);
  return std::move(child).value();
}

ChildProcess call(WaitLoop& loop, const std::function<int(int)>& work, const ChildSetup& setup = kReads) {
  auto child = ChildProcess::fork(loop, work, setup);
  REQUIRE(child);
  return std::move(child).value();
}

size_t open_files() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

bool has_children() { return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

// Whether the process with this number is there and no zombie.
bool is_alive(const std::string& number) {
  std::FILE* file = std::fopen(("/proc/" + number + "/stat").c_str(), "r");
  if (file == nullptr) return false;
  char state = 'Z';
  const bool is_read = std::fscanf(file, "%*d %*s %c", &state) == 1;
  std::fclose(file);
  return is_read && state != 'Z' && state != 'X';
}

bool dies(const std::string& number) {
  for (int i = 0; i < 1000 && is_alive(number); ++i) ::usleep(10'000);
  return !is_alive(number);
}

}  // namespace

TEST_CASE("a program's status, signal and output") {
  WaitLoop loop = make_loop();
  ChildProcess good = run(loop, "echo one; echo two >&2");
  ChildProcess bad = run(loop, "exit 3");
  ChildProcess shot = run(loop, "kill -TERM $$");
  for (ChildProcess* child : {&good, &bad, &shot}) REQUIRE(child->wait(kLong));
  CHECK(good.ending().text() == "");
  CHECK(good.output() == "one\ntwo\n");
  CHECK(bad.ending().text() == "status 3");
  CHECK(shot.ending().signal == SIGTERM);
  CHECK(shot.ending().text() == "signal 15 (Terminated)");
}

TEST_CASE("a program that is not there is named") {
  WaitLoop loop = make_loop();
  auto child = ChildProcess::start(loop, {"no-such-program", "x"}, kReads);
  REQUIRE(child);
  REQUIRE(child.value().wait(kLong));
  CHECK(child->ending().exit_status == 127);
  CHECK(child->output() == "plait: no-such-program: No such file or directory\n");
}

TEST_CASE("a function answers, and what it prints is apart") {
  WaitLoop loop = make_loop();
  ChildProcess child = call(loop, [](int answer) {
    std::puts("printed");
    return ::write(answer, "answered", 8) == 8 ? 7 : 1;
  });
  REQUIRE(child.wait(kLong));
  CHECK(child.ending().exit_status == 7);
  CHECK(child.take_answer() == "answered");
  CHECK(child.take_answer().empty());
  CHECK(child.output() == "printed\n");
}

TEST_CASE("an exception stays in the child") {
  WaitLoop loop = make_loop();
  ChildSetup setup = kReads;
  setup.writes_core = false;
  ChildProcess child = call(
      loop, [](int) -> int { throw 1; }, setup);
  REQUIRE(child.wait(kLong));
  CHECK(child.ending().signal == SIGABRT);
}

TEST_CASE("the end of a long output is kept") {
  WaitLoop loop = make_loop();
  ChildSetup setup = kReads;
  setup.most_output_bytes = 10;
  ChildProcess child = run(loop, "yes | head -c 3000000; echo the end", setup);
  REQUIRE(child.wait(kLong));
  CHECK(child.output() == "y\nthe end\n");
}

TEST_CASE("output to a file of the caller's") {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  WaitLoop loop = make_loop();
  ChildProcess child = run(loop, "echo kept; echo too >&2", {.out = ::fileno(file), .err = ::fileno(file)});
  REQUIRE(child.wait(kLong));
  CHECK(child.output().empty());
  char text[100] = "";
  CHECK(::pread(::fileno(file), text, sizeof text - 1, 0) == 9);
  CHECK(std::string(text) == "kept\ntoo\n");
  std::fclose(file);
}

TEST_CASE("what has had its time is ended with its group") {
  WaitLoop loop = make_loop();
  ChildSetup setup = kReads;
  setup.group = ChildSetup::Group::kOwn;
  ChildProcess child = run(loop, "sleep 1000 & echo $!; wait", setup);
  while (child.output().empty()) loop.wait(kLong);
  CHECK_FALSE(child.wait(50ms));
  child.kill();
  CHECK(child.ending().signal == SIGKILL);
  const std::string output = child.output();
  CHECK(dies(output.substr(0, output.find('\n'))));
}

TEST_CASE("a child's child that holds the pipe is not waited for; it ends or goes on as the setup says") {
  WaitLoop loop = make_loop();
  for (const auto group : {ChildSetup::Group::kOwn, ChildSetup::Group::kOwnEndsWithIt}) {
    ChildSetup setup = kReads;
    setup.group = group;
    ChildProcess child = run(loop, "sleep 1000 & echo $!; exit 4", setup);
    REQUIRE(child.wait(kLong));
    CHECK(child.ending().exit_status == 4);
    const std::string number = child.output().substr(0, child.output().find('\n'));
    if (group == ChildSetup::Group::kOwn) {
      CHECK(is_alive(number));
      ::kill(std::stoi(number), SIGKILL);
    }
    CHECK(dies(number));
  }
}

TEST_CASE("a signal sent, and one that only the child leaves behind") {
  WaitLoop loop = make_loop();
  ChildProcess child = run(loop, "trap 'echo heard; exit 5' USR1; echo ready; while :; do sleep 0.01; done");
  while (child.output().empty()) loop.wait(kLong);
  child.send(SIGUSR1);
  REQUIRE(child.wait(kLong));
  CHECK(child.ending().exit_status == 5);
  CHECK(child.output() == "ready\nheard\n");
}

TEST_CASE("handlers and blocked signals of this process") {
  const auto before = std::signal(SIGUSR2, [](int) {});
  WaitLoop loop = make_loop();
  const auto kills_itself = [](int) { return std::raise(SIGUSR2), 0; };
  ChildProcess same = call(loop, kills_itself);
  ChildSetup setup = kReads;
  setup.default_signals = true;
  ChildProcess anew = call(loop, kills_itself, setup);
  REQUIRE(same.wait(kLong));
  REQUIRE(anew.wait(kLong));
  CHECK(same.ending().signal == 0);
  CHECK(anew.ending().signal == SIGUSR2);
  std::signal(SIGUSR2, before);
}

TEST_CASE("neither zombies nor descriptors are left, however a child ends") {
  const size_t files = open_files();
  {
    WaitLoop loop = make_loop();
    REQUIRE(run(loop, "true").wait(kLong));  // the loop has its own descriptors from its first use on
    while (loop.wait(0ms)) continue;
    const size_t with_loop = open_files();
    for (int i = 0; i < 3; ++i) {
      REQUIRE(run(loop, "echo x").wait(kLong));
      run(loop, "sleep 1000");  // ended by the destructor
      call(loop, [](int) {
        ::pause();
        return 0;
      });
    }
    while (loop.wait(0ms)) continue;  // what was cancelled
    CHECK(open_files() == with_loop);
    CHECK_FALSE(has_children());
  }
  CHECK(open_files() == files);
}

TEST_CASE("a child that is left goes on") {
  WaitLoop loop = make_loop();
  pid_t id = 0;
  {
    ChildProcess child = run(loop, "sleep 1000");
    id = child.id();
    child.leave();
  }
  CHECK(is_alive(std::to_string(id)));
  ::kill(id, SIGKILL);
  CHECK(::waitpid(id, nullptr, 0) == id);
}

TEST_CASE("a process that ignores its children has no status of them") {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  WaitLoop loop = make_loop();
  ChildProcess child = run(loop, "echo x; exit 3");
  REQUIRE(child.wait(kLong));
  CHECK_FALSE(child.ending().is_known);
  CHECK(child.output() == "x\n");
  std::signal(SIGCHLD, before);
}

TEST_CASE("where the system has no descriptors of processes the end is seen too") {
  for (const bool has_descriptors : {true, false}) {
    WaitLoop loop = make_loop();
    const pid_t child = ::fork();
    if (child == 0) {
      ::usleep(30'000);
      ::_exit(9);
    }
    int calls = 0, status = 0;
    const auto watch = ExitWatch::begin(
        loop.body().context, child, [&] { ++calls; }, has_descriptors);
    for (int i = 0; i < 1000 && calls == 0; ++i) loop.wait(100ms);
    CHECK(calls == 1);
    CHECK(::waitpid(child, &status, WNOHANG) == child);
    CHECK(WEXITSTATUS(status) == 9);
  }
}

TEST_CASE("waiting ends with its patience when nothing happens") {
  WaitLoop loop = make_loop();
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(loop.wait(20ms));
  CHECK(std::chrono::steady_clock::now() - begin >= 20ms);
}
