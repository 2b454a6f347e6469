#include "verify/engine/process_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cfenv>
#include <clocale>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <locale>
#include <new>

namespace plait::inline verify {
namespace {

using NamedTexts = std::map<std::string, std::string>;
const std::string kFile = "the file of descriptor ";

std::string bytes_text(const void* bytes, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", static_cast<const uint8_t*>(bytes)[i]);
  return text;
}

void add_environment(NamedTexts& parts) {
  for (char** one = environ; one != nullptr && *one != nullptr; ++one) {
    const std::string line = *one;
    const size_t equals = line.find('=');
    parts["variable " + line.substr(0, equals)] = equals == std::string::npos ? "" : line.substr(equals + 1);
  }
}

// Set by glibc with every handler, also with one that is given back.
constexpr int kRestorer = 0x04000000;

void add_signals(NamedTexts& parts) {
  for (int number = 1; number < SIGRTMAX; ++number) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) != 0) continue;
    const char* name = ::sigabbrev_np(number);
    parts[name != nullptr ? fmt::format("the handler of SIG{}", name)
                          : fmt::format("the handler of signal {}", number)] =
        fmt::format("{} (flags {:#x})", reinterpret_cast<const void*>(action.sa_handler),
                    action.sa_flags & ~kRestorer);
  }
}

void add_streams(NamedTexts& parts) {
  static const char* const kNames[] = {"standard input", "standard output", "standard error"};
  FILE* const files[] = {stdin, stdout, stderr};
  for (int number = 0; number < 3; ++number) {
    struct stat at {};
    const int there = ::fstat(number, &at);
    parts[kNames[number]] =
        fmt::format("device {} file {} flags {:#x}, descriptor {} of stdio", there == 0 ? at.st_dev : 0,
                    there == 0 ? at.st_ino : 0, ::fcntl(number, F_GETFL), ::fileno(files[number]));
  }
  const std::ios* const streams[] = {&std::cin, &std::cout, &std::cerr, &std::clog};
  static const char* const kStreams[] = {"std::cin", "std::cout", "std::cerr", "std::clog"};
  for (size_t i = 0; i < std::size(streams); ++i)
    parts[kStreams[i]] =
        fmt::format("buffer {} format {:#x} precision {}", static_cast<const void*>(streams[i]->rdbuf()),
                    static_cast<unsigned>(streams[i]->flags()), streams[i]->precision());
}

// Standard error has a buffer from its first use on, of one byte; a larger one was given to it.
void add_buffers(NamedTexts& parts) {
  static const char* const kNames[] = {"standard input", "standard output", "standard error"};
  FILE* const files[] = {stdin, stdout, stderr};
  for (int number = 0; number < 3; ++number) {
    const size_t bytes = ::__fbufsize(files[number]);
    parts[fmt::format("the buffer of {} (setvbuf)", kNames[number])] = fmt::format(
        "{} bytes{}", number == 2 && bytes <= 1 ? 0 : bytes, ::__flbf(files[number]) ? ", by lines" : "");
  }
}

// "" where standard output is no file, as it is under a WatchedOutput.
std::string printed() {
  constexpr size_t kMost = 200;
  std::cout.flush();
  std::fflush(stdout);
  std::string text(kMost, '\0');
  const ssize_t got = ::pread(STDOUT_FILENO, text.data(), kMost, 0);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text.substr(0, text.find('\n'));
}

// Looked at without a draw: both functions give back what they replace.
void add_random(NamedTexts& parts) {
#if defined(__GLIBC__)
  constexpr size_t kBytes = 128;  // of the table that a process begins with
  alignas(8) static char other[kBytes];
  static const char* const first = [] {
    const char* was = ::initstate(1, other, sizeof other);
    ::setstate(const_cast<char*>(was));
    return was;
  }();
  char* const table = ::setstate(other);
  ::setstate(table);
  parts["the random numbers of rand (srand, random)"] =
      table == first ? bytes_text(table, kBytes) : fmt::format("{}", static_cast<const void*>(table));
#endif
  unsigned short zero[3] = {}, now[3];
  std::copy_n(::seed48(zero), 3, now);
  ::seed48(now);
  parts["the random numbers of drand48"] = bytes_text(now, sizeof now);
}

void add_files(NamedTexts& parts) {
  std::error_code error;
  for (const auto& one : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const std::string at = std::filesystem::read_symlink(one.path(), error).string();
    if (!error && at.find("/fd") == std::string::npos)  // not the list itself
      parts[kFile + one.path().filename().string()] = at;
  }
}

void add_arithmetic(NamedTexts& parts) {
  parts["rounding"] = fmt::format("{}", std::fegetround());
#if defined(__x86_64__)
  uint32_t vector = 0;
  uint16_t old = 0;
  asm volatile("stmxcsr %0" : "=m"(vector));
  asm volatile("fnstcw %0" : "=m"(old));
  parts["the floating-point mode (MXCSR)"] = fmt::format("{:#x}", vector & ~0x3Fu);
  parts["the floating-point mode (x87)"] = fmt::format("{:#x}", old);
#endif
}

void add_blocked_signals(NamedTexts& parts) {
  sigset_t blocked;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  std::string names;
  for (int number = 1; number < SIGRTMAX; ++number)
    if (sigismember(&blocked, number) == 1) names += fmt::format(" {}", number);
  parts["the blocked signals"] = names;
  stack_t stack{};
  ::sigaltstack(nullptr, &stack);
  parts["the stack of signal handlers"] = fmt::format("{}", stack.ss_sp);
}

// What a thread has of its own.
void add_thread(NamedTexts& parts) {
  add_arithmetic(parts), add_blocked_signals(parts);
  parts["the locale of a thread (uselocale)"] = fmt::format("{}", static_cast<void*>(::uselocale(nullptr)));
  parts["the priority"] = fmt::format("{}", ::getpriority(PRIO_PROCESS, 0));
  cpu_set_t processors;
  CPU_ZERO(&processors);
  ::sched_getaffinity(0, sizeof processors, &processors);
  parts["the processors (affinity)"] = bytes_text(&processors, sizeof processors);
}

void add_limits(NamedTexts& parts) {
  for (int number = 0; number < RLIM_NLIMITS; ++number) {
    rlimit limit{};
    if (::getrlimit(static_cast<__rlimit_resource>(number), &limit) == 0)
      parts[fmt::format("limit {} (setrlimit)", number)] =
          fmt::format("{}, {}", limit.rlim_cur, limit.rlim_max);
  }
  for (const auto which : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) {
    itimerval timer{};
    ::getitimer(which, &timer);
    const bool on = timer.it_value.tv_sec != 0 || timer.it_value.tv_usec != 0;
    parts[fmt::format("timer {}", static_cast<int>(which))] = on ? "on" : "off";
  }
}

// Read, not set and set back: another thread may be making a file.
std::string umask_text() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Umask:")) return line.substr(6);
  return "";
}

size_t entries(const char* folder) {
  std::error_code error;
  const std::filesystem::directory_iterator all(folder, error);
  return error ? 0 : static_cast<size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

WatchedOutput::WatchedOutput() {
  printed();
  const int file = ::memfd_create("standard output", MFD_CLOEXEC);
  if (file < 0) return;
  before_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 100);
  ::dup2(file, STDOUT_FILENO);
  ::close(file);
}

WatchedOutput::~WatchedOutput() {
  if (before_ < 0) return;
  printed();
  ::dup2(before_, STDOUT_FILENO);
  ::close(before_);
}

ProcessState ProcessState::now(bool files) {
  ProcessState state;
  NamedTexts& parts = state.parts_;
  std::error_code error;
  parts["the working folder"] = std::filesystem::current_path(error).string();
  parts["umask"] = umask_text();
  parts["the locale (setlocale)"] = std::setlocale(LC_ALL, nullptr);
  parts["the locale of streams (std::locale::global)"] = std::locale().name();
  parts["the new handler"] = fmt::format("{}", reinterpret_cast<const void*>(std::get_new_handler()));
  parts["the terminate handler"] = fmt::format("{}", reinterpret_cast<const void*>(std::get_terminate()));
  add_environment(parts), add_signals(parts), add_streams(parts), add_thread(parts), add_limits(parts);
  add_buffers(parts), add_random(parts);
  parts["printed to standard output"] = printed();
  if (files) add_files(parts);
  return state;
}

ProcessState ProcessState::of_thread() {
  ProcessState state;
  add_thread(state.parts_);
  return state;
}

std::string ProcessState::difference(const ProcessState& later) const {
  for (const auto& [name, text] : parts_) {
    const auto other = later.parts_.find(name);
    if (other == later.parts_.end()) return fmt::format("{} was \"{}\", is gone", name, text);
    if (other->second != text) return fmt::format("{} was \"{}\", is \"{}\"", name, text, other->second);
  }
  for (const auto& [name, text] : later.parts_)
    if (!parts_.contains(name) && !name.starts_with(kFile))  // a file may be open while an instance lives
      return fmt::format("{} is new: \"{}\"", name, text);
  return "";
}

ProcessCounts ProcessCounts::now() {
  siginfo_t info{};
  const bool children = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
  return {entries("/proc/self/task"), entries("/proc/self/fd"), children ? size_t{1} : 0};
}

std::string ProcessCounts::left_since(const ProcessCounts& before) const {
  std::string text;
  const auto say = [&](size_t now, size_t then, const char* what) {
    if (now > then) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", now - then, what);
  };
  say(threads, before.threads, "threads");
  say(files, before.files, "open files");
  say(children, before.children, "child processes or more");
  return text;
}

// A thread that was joined is listed until the system has taken it away.
std::string left_behind(const ProcessCounts& before) {
  constexpr int kTimes = 400;
  std::string left;
  for (int i = 0; i < kTimes; ++i) {
    left = ProcessCounts::now().left_since(before);
    if (left.empty()) return "";
    ::usleep(10'000);
  }
  return left;
}

}  // namespace plait::inline verify
