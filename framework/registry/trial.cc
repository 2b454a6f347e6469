#include "registry/trial.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "io/child_process.h"

namespace plait::inline registry {
namespace {

using Clock = std::chrono::steady_clock;
using Work = std::function<bool(const std::string&)>;

// What the child writes of each path.
constexpr char kBegin = 'b', kGood = 'g', kRefused = 'r';
constexpr char kEndOfWords = '\0';  // of what a path prints
constexpr size_t kMostSaid_bytes = 2000, kMostShown_characters = 160;

void tell(int descriptor, char what) {
  while (::write(descriptor, &what, 1) < 0 && errno == EINTR) {
  }
}

// Nothing of this process is left to a library that misbehaves: not its terminal, its signals, its core
// files, nor its life when the parent is gone.
const ChildSetup kCutOff{.in = ChildSetup::kNowhere,
                         .out = ChildSetup::kRead,
                         .err = ChildSetup::kRead,
                         .most_output_bytes = kMostSaid_bytes,
                         .group = ChildSetup::Group::kOwnEndsWithIt,
                         .at_parents_end = SIGKILL,
                         .writes_core = false,
                         .default_signals = true};

// What this program has to do at its end is not the child's to do: it would be done twice.
void leave_at_once(int status, void*) {
  std::fflush(nullptr);
  ::_exit(status);
}

int try_from(const std::vector<std::string>& paths, size_t first, const Work& work, int told) {
  ::on_exit(leave_at_once, nullptr);
  for (size_t i = first; i < paths.size(); ++i) {
    tell(told, kBegin);
    const bool good = work(paths[i]);
    std::fflush(nullptr);
    tell(STDERR_FILENO, kEndOfWords);
    tell(told, good ? kGood : kRefused);
  }
  return 0;
}

// A child that tries the paths from one on, seen from outside.
class Attempt {
 public:
  Attempt(const std::vector<std::string>& paths, size_t first, std::vector<LoadTrial>& trials, double limit_s)
      : paths_(paths), at_(first), trials_(trials), limit_s_(limit_s) {}

  // The first path that is left: past the last, or after the one in which the child ended.
  // Fails with: kIo when the system makes no process.
  Result<size_t> run(WaitLoop& loop, const Work& work) {
    PLAIT_ASSIGN(ChildProcess child,
                 ChildProcess::fork(
                     loop, [&](int told) { return try_from(paths_, at_, work, told); }, kCutOff));
    begin_ = Clock::now();
    bool late = false;
    while (at_ < paths_.size() && !child.has_ended() && !late) {
      loop.wait(std::max(Clock::duration::zero(), last() - Clock::now()));
      for (const char what : child.take_answer()) take(what);
      late = Clock::now() > last();
    }
    const bool ended = child.has_ended();
    child.kill();
    if (at_ == paths_.size()) return at_;
    trials_[at_] = {
        LoadTrial::Outcome::kCrashed,
        ended ? reason(child) : fmt::format("does not come back within {:g} s when it is loaded", limit_s_)};
    return at_ + 1;
  }

 private:
  void take(char what) {
    begin_ = Clock::now();
    if (what != kBegin && at_ < paths_.size())
      trials_[at_++].outcome = what == kGood ? LoadTrial::Outcome::kGood : LoadTrial::Outcome::kRefused;
  }

  Clock::time_point last() const {
    return begin_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limit_s_));
  }

  static std::string last_words(const std::string& output) {
    std::string text = output.substr(output.rfind(kEndOfWords) + 1);  // npos + 1 is 0
    text.erase(text.find_last_not_of(" \n\r\t") + 1);
    if (text.empty()) return "";
    text.erase(0, text.rfind('\n') + 1);
    for (char& c : text)
      if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
    return fmt::format("; it says \"{}\"", text.substr(0, kMostShown_characters));
  }

  static std::string reason(const ChildProcess& child) {
    const Ending& ending = child.ending();
    const std::string words = last_words(child.output());
    if (!ending.is_known) return "ends the program when it is loaded" + words;
    if (ending.signal == 0)
      return fmt::format("ends the program with status {} when it is loaded{}", ending.exit_status, words);
    const char* name = ::sigabbrev_np(ending.signal);
    return fmt::format("crashes when it is loaded: {} ({}){}",
                       name ? fmt::format("SIG{}", name) : fmt::format("signal {}", ending.signal),
                       ::strsignal(ending.signal), words);
  }

  const std::vector<std::string>& paths_;
  size_t at_;  // the path that is being tried
  std::vector<LoadTrial>& trials_;
  double limit_s_;
  Clock::time_point begin_;
};

}  // namespace

std::vector<LoadTrial> try_in_child(const std::vector<std::string>& paths, const Work& work, double limit_s) {
  std::vector<LoadTrial> trials(paths.size());
  auto loop = WaitLoop::create();
  for (size_t first = 0; loop && first < paths.size();) {
    const auto next = Attempt(paths, first, trials, limit_s).run(*loop, work);
    if (!next) break;
    first = *next;
  }
  return trials;
}

}  // namespace plait::inline registry
