// What ran when, on which thread: for pictures of a run. Nothing is noted, and a span costs one load, unless
// somebody has begun.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace plait::inline base {

struct TraceEntry {
  static constexpr size_t kMostName = 47;  // longer names are cut

  const char* category = "";  // a literal
  std::array<char, kMostName + 1> name{};
  int64_t number = -1;   // of the task, the batch...; -1: none
  int64_t begin_ns = 0;  // since 1970, so that hosts can be laid side by side
  int64_t length_ns = 0;
  int32_t thread = 0;  // in the order in which threads were first met
};

// One trace a process.
class Trace {
 public:
  // At most `most_events` are kept, then no more. Threads: [setup only]
  static void begin(size_t most_events = 1'000'000);
  // What was noted, in no order; nothing is noted any more. Threads: [one at a time], spans of other threads
  // may end meanwhile, and are lost.
  struct Noted {
    std::vector<TraceEntry> events;
    int64_t lost = 0;  // beyond most_events
  };
  static Noted end();
  static bool is_on() { return on_.load(std::memory_order_relaxed); }
  static int64_t now_ns();

 private:
  friend class TraceSpan;
  static void add(const TraceEntry& event);
  static std::atomic<bool> on_;
};

// From here to the end of the block. The name is copied.
class TraceSpan {
 public:
  TraceSpan(const char* category, std::string_view name, int64_t number = -1) {
    if (Trace::is_on()) begin(category, name, number);
  }
  ~TraceSpan() {
    if (entry_) end();
  }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;

 private:
  void begin(const char* category, std::string_view name, int64_t number);
  void end();
  std::optional<TraceEntry> entry_;
};

}  // namespace plait::inline base
