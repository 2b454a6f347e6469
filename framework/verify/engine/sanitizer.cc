#include "verify/engine/sanitizer.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "graph/arena.h"
#include "verify/engine/elf_exports.h"
#include "verify/engine/restart.h"

namespace plait::inline verify {
namespace {

constexpr const char* kRuntimes[] = {"libasan.so", "libtsan.so", "libubsan.so"};

bool is_runtime(const std::string& library) {
  return std::ranges::any_of(kRuntimes, [&](const char* name) { return library.starts_with(name); });
}

void prepend_option(const char* variable, const std::string& options) {
  const char* set = std::getenv(variable);
  ::setenv(variable, (set && *set ? options + ":" + set : options).c_str(), 1);
}

// A piece of a loop, taken by whichever thread is free.
struct SharedLoop {
  uint64_t count, step;
  int (*body)(void*, uint64_t, uint64_t);
  void* user;
  const std::atomic<bool>* cancelled;
  std::atomic<uint64_t> next{0};
  std::atomic<int> status{PLAIT_OK};

  void work() {
    while (status == PLAIT_OK && (cancelled == nullptr || !*cancelled)) {
      const uint64_t begin = next.fetch_add(step);
      if (begin >= count) return;
      if (body(user, begin, std::min(count, begin + step)) != PLAIT_OK) status = PLAIT_FAILED;
    }
  }
};

int joined_threads(uint64_t count, uint64_t grain, int lanes, int (*body)(void*, uint64_t, uint64_t),
                   void* user, const std::atomic<bool>* cancelled) {
  const auto threads = static_cast<uint64_t>(std::max(lanes, 1));
  const uint64_t step = std::max<uint64_t>({grain, 1, count / (4 * threads)});
  SharedLoop loop{count, step, body, user, cancelled};
  std::vector<std::thread> others;
  for (uint64_t i = 1; i < threads && i * step < count; ++i) others.emplace_back([&loop] { loop.work(); });
  loop.work();
  for (std::thread& other : others) other.join();
  return loop.status;
}

}  // namespace

std::vector<std::string> sanitizer_runtimes(const std::vector<std::string>& files) {
  std::vector<std::string> runtimes;
  for (const std::string& file : files) {
    const auto symbols = read_elf_symbols(file);
    if (!symbols) continue;
    for (const std::string& library : symbols->libraries)
      if (is_runtime(library) && !std::ranges::count(runtimes, library)) runtimes.push_back(library);
  }
  return runtimes;
}

void set_sanitizer_options() {
  // Leaks are the heap laws' affair: a test's process leaves without destructors.
  prepend_option("ASAN_OPTIONS", "detect_leaks=0:allocator_may_return_null=1");
  prepend_option("TSAN_OPTIONS",
                 "halt_on_error=1:die_after_fork=0:report_signal_unsafe=0:allocator_may_return_null=1");
  prepend_option("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1");
}

bool is_sanitized() {
  static const bool is = [] {
    for (const std::string& library : preloaded_at_restart())
      if (is_runtime(library)) return true;
    return false;
  }();
  return is;
}

ParallelFor lane_loop() { return is_sanitized() ? joined_threads : parallel_pieces; }

std::string sanitizer_report(const std::string& text) {
  const auto line_at = [&](size_t begin) { return text.substr(begin, text.find('\n', begin) - begin); };
  constexpr std::string_view kSummary = "SUMMARY: ";
  std::string report;
  if (const size_t at = text.find(kSummary); at != std::string::npos) {
    report = line_at(at + kSummary.size());
  } else if (const size_t error = text.find(": runtime error: "); error != std::string::npos) {
    const size_t before = text.rfind('\n', error);
    report = line_at(before == std::string::npos ? 0 : before + 1);
  }
  // A function's name without what it takes: with templates that grows long.
  if (const size_t in = report.find(" in "); in != std::string::npos)
    report.resize(std::min(report.size(), report.find_first_of("(<", in)));
  return report;
}

}  // namespace plait::inline verify
