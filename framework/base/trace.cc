#include "base/trace.h"

#include <algorithm>
#include <chrono>
#include <mutex>

namespace plait::inline base {
namespace {

struct Notes {
  std::mutex mutex;
  Trace::Noted noted;
  size_t most = 0;
};

Notes& notes() {
  static Notes all;
  return all;
}

int32_t this_thread() {
  static std::atomic<int32_t> threads = 0;
  thread_local const int32_t mine = threads.fetch_add(1);
  return mine;
}

}  // namespace

std::atomic<bool> Trace::on_ = false;

void Trace::begin(size_t most_events) {
  const std::lock_guard lock(notes().mutex);
  notes().noted = {};
  notes().most = most_events;
  this_thread();  // who begins is the first
  on_ = true;
}

Trace::Noted Trace::end() {
  on_ = false;
  const std::lock_guard lock(notes().mutex);
  return std::move(notes().noted);
}

int64_t Trace::now_ns() {
  using namespace std::chrono;
  static const int64_t offset = duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count() -
                                duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count() + offset;
}

void Trace::add(const TraceEntry& event) {
  const std::lock_guard lock(notes().mutex);
  if (!is_on()) return;
  if (notes().noted.events.size() < notes().most)
    notes().noted.events.push_back(event);
  else
    ++notes().noted.lost;
}

void TraceSpan::begin(const char* category, std::string_view name, int64_t number) {
  TraceEntry& entry = entry_.emplace();
  entry.category = category;
  std::copy_n(name.data(), std::min(name.size(), TraceEntry::kMostName), entry.name.data());
  entry.number = number;
  entry.begin_ns = Trace::now_ns();
}

void TraceSpan::end() {
  entry_->length_ns = Trace::now_ns() - entry_->begin_ns;
  entry_->thread = this_thread();
  Trace::add(*entry_);
}

}  // namespace plait::inline base
