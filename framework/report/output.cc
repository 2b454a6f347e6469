#include "report/output.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>

#include "base/shown.h"

namespace plait::inline report {
namespace {

using Time = std::chrono::steady_clock;

constexpr Time::duration kPatience = std::chrono::seconds(1);
constexpr int kLook_ms = 20;     // between two looks at is_leaving
constexpr size_t kAtOnce = 512;  // _POSIX_PIPE_BUF: so much never blocks where poll says that it may
constexpr size_t kMostHeld = size_t{1} << 16;  // of text that moves the cursor

std::atomic<int> first_error{0};
std::atomic<bool> is_reader_free{false};  // to leave

void note_error() {
  int none = 0;
  first_error.compare_exchange_strong(none, errno != 0 ? errno : EIO);
}

// Text on its way past the C library's buffer, whose writes would wait for ever.
struct Held {
  std::mutex mutex;
  std::function<bool()> is_leaving;
  std::string text;  // for standard output
  bool is_left = false;
};
Held& held() {
  static Held all;
  return all;
}

// Whether a write may begin; false when the reader is given up.
bool wait_for_reader(Held& all) {
  Time::time_point last = Time::time_point::max();
  for (;;) {
    pollfd one{STDOUT_FILENO, POLLOUT, 0};
    const int ready = ::poll(&one, 1, kLook_ms);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
    if (last == Time::time_point::max() && all.is_leaving()) last = Time::now() + kPatience;
    if (Time::now() >= last) return false;
  }
}

void write_out(Held& all) {
  for (size_t at = 0; at < all.text.size() && !all.is_left;) {
    all.is_left = !wait_for_reader(all);
    if (all.is_left) break;
    const ssize_t written =
        ::write(STDOUT_FILENO, all.text.data() + at, std::min(kAtOnce, all.text.size() - at));
    if (written >= 0)
      at += static_cast<size_t>(written);
    else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
      note_error(), at = all.text.size();
  }
  all.text.clear();
}

// True when the text is taken care of.
bool hold(std::string_view text, std::FILE* stream, bool is_urgent) {
  Held& all = held();
  const std::lock_guard lock(all.mutex);
  if (!all.is_leaving || stream != stdout) return false;
  if (!all.is_left) all.text += text;
  if (is_urgent || all.text.size() > kMostHeld) write_out(all);
  return true;
}

}  // namespace

void print(std::string_view text, std::FILE* stream) { print_control(shown_lines(text), stream); }

void print_control(std::string_view text, std::FILE* stream) {
  if (hold(text, stream, false)) return;
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stream) != text.size()) note_error();
}

void print_now(std::string_view text, std::FILE* stream) {
  print(text, stream);
  if (hold("", stream, true)) return;
  errno = 0;
  if (std::fflush(stream) != 0) note_error();
}

void leave_output_when(std::function<bool()> is_leaving) {
  print_now("");
  const std::lock_guard lock(held().mutex);
  held().is_leaving = std::move(is_leaving);
}

void reader_may_leave() { is_reader_free = true; }

// A close may be the first to tell (quota, network file systems): of a copy, so that what runs at the exit of
// the process still has a stream.
Status finish_output() {
  print_now("");
  const int copy = ::dup(STDOUT_FILENO);
  errno = 0;
  if (copy >= 0 && ::close(copy) != 0) note_error();
  const int error = first_error;
  if (error == 0) return {};
  if (is_reader_free && (error == EPIPE || error == EBADF)) return {};
  return {Code::kIo, std::string("standard output: write failed: ") + std::strerror(error)};
}

}  // namespace plait::inline report
