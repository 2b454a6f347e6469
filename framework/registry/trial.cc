#include "registry/trial.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace plait {
namespace {

using Clock = std::chrono::steady_clock;
using Work = std::function<bool(const std::string&)>;

// What the child writes of each path.
constexpr char kBegin = 'b', kGood = 'g', kRefused = 'r';
constexpr char kEndOfWords = '\0';  // of what a path prints
constexpr size_t kMostSaid_bytes = 2000, kMostShown_characters = 160;
constexpr std::chrono::milliseconds kNap{50}, kShortNap{1};

struct Pipe {
  int read_end = -1, write_end = -1;
  bool open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read_end = ends[0], write_end = ends[1];
    return ::fcntl(read_end, F_SETFL, O_NONBLOCK) == 0;
  }
  void close_end(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  ~Pipe() { close_end(read_end), close_end(write_end); }
};

void tell(int descriptor, char what) {
  while (::write(descriptor, &what, 1) < 0 && errno == EINTR) {
  }
}

// Nothing of this process is left to a library that misbehaves: not its terminal, its signals, its core
// files, nor its life when the parent is gone.
void cut_off(int said, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  ::setpgid(0, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
  if (const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC); null >= 0) ::dup2(null, STDIN_FILENO);
  ::dup2(said, STDOUT_FILENO);
  ::dup2(said, STDERR_FILENO);
}

// What this program has to do at its end is not the child's to do: it would be done twice.
void leave_at_once(int status, void*) {
  std::fflush(nullptr);
  ::_exit(status);
}

[[noreturn]] void be_child(const std::vector<std::string>& paths, size_t first, const Work& work, int told) {
  ::on_exit(leave_at_once, nullptr);
  for (size_t i = first; i < paths.size(); ++i) {
    tell(told, kBegin);
    const bool good = work(paths[i]);
    std::fflush(nullptr);
    tell(STDERR_FILENO, kEndOfWords);
    tell(told, good ? kGood : kRefused);
  }
  ::_exit(0);  // what runs at the end of a program is not on trial
}

// A child that tries the paths from one on, seen from outside.
class Child {
 public:
  Child(const std::vector<std::string>& paths, size_t first, std::vector<LoadTrial>& trials, double limit_s)
      : paths_(paths), at_(first), trials_(trials), limit_s_(limit_s) {}

  // False: the system makes no process.
  bool start(const Work& work) {
    if (!told_.open() || !said_.open()) return false;
    std::fflush(nullptr);
    const pid_t parent = ::getpid();
    process_ = ::fork();
    if (process_ < 0) return false;
    if (process_ == 0) {
      cut_off(said_.write_end, parent);
      be_child(paths_, at_, work, told_.write_end);
    }
    ::setpgid(process_, process_);  // whoever comes first
    told_.close_end(told_.write_end);
    said_.close_end(said_.write_end);
    return true;
  }

  // The first path that is left: behind the last, or behind the one in which the child ended.
  size_t watch() {
    begin_ = Clock::now();
    while (at_ < paths_.size() && !ended_ && !late_) {
      pollfd ready[] = {{told_.read_end, POLLIN, 0}, {said_.read_end, POLLIN, 0}};
      // A child of the child may hold the pipes open: so look after it now and then.
      ::poll(ready, 2, static_cast<int>(kNap.count()));
      listen();
      if (ready[0].revents == 0 || (ready[0].revents & POLLHUP) != 0) look_after();
    }
    end();
    if (at_ == paths_.size()) return at_;
    trials_[at_] = {LoadTrial::Outcome::kCrashed, reason()};
    return at_ + 1;
  }

 private:
  void listen() {
    char text[512];
    for (ssize_t got; (got = ::read(said_.read_end, text, sizeof text)) > 0;) {
      words_.append(text, static_cast<size_t>(got));
      if (words_.size() > kMostSaid_bytes) words_.erase(0, words_.size() - kMostSaid_bytes);
      if (is_late()) break;  // it may never stop talking
    }
    for (ssize_t got; (got = ::read(told_.read_end, text, sizeof text)) > 0;)
      for (ssize_t i = 0; i < got; ++i) take(text[i]);
  }

  void take(char what) {
    begin_ = Clock::now();
    if (what != kBegin && at_ < paths_.size())
      trials_[at_++].outcome = what == kGood ? LoadTrial::Outcome::kGood : LoadTrial::Outcome::kRefused;
  }

  bool is_late() const { return Clock::now() - begin_ > std::chrono::duration<double>(limit_s_); }

  void look_after() {
    const pid_t answer = ::waitpid(process_, &status_, WNOHANG);
    // Where somebody has this process ignore its children, they end without a status.
    if (answer == process_ || (answer < 0 && errno == ECHILD)) {
      ended_ = true;
      has_status_ = answer == process_;
      listen();  // its last words
    } else {
      late_ = is_late();
      std::this_thread::sleep_for(kShortNap);  // a closed pipe makes poll return at once
    }
  }

  void end() {
    ::kill(-process_, SIGKILL);  // with what it may have started
    pid_t answer = ended_ ? 0 : -1;
    while (answer < 0 && (answer = ::waitpid(process_, &status_, 0)) < 0 && errno == EINTR) {
    }
  }

  std::string last_words() const {
    std::string text = words_.substr(words_.rfind(kEndOfWords) + 1);  // npos + 1 is 0
    text.erase(text.find_last_not_of(" \n\r\t") + 1);
    if (text.empty()) return "";
    text.erase(0, text.rfind('\n') + 1);
    for (char& c : text)
      if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
    return fmt::format("; it says \"{}\"", text.substr(0, kMostShown_characters));
  }

  std::string reason() const {
    if (late_) return fmt::format("does not come back within {:g} s when it is loaded", limit_s_);
    if (!has_status_) return "ends the program when it is loaded" + last_words();
    if (WIFEXITED(status_))
      return fmt::format("ends the program with status {} when it is loaded{}", WEXITSTATUS(status_),
                         last_words());
    const int number = WTERMSIG(status_);
    const char* name = ::sigabbrev_np(number);
    return fmt::format("crashes when it is loaded: {} ({}){}",
                       name ? fmt::format("SIG{}", name) : fmt::format("signal {}", number),
                       ::strsignal(number), last_words());
  }

  const std::vector<std::string>& paths_;
  size_t at_;  // the path that is being tried
  std::vector<LoadTrial>& trials_;
  double limit_s_;
  Pipe told_, said_;
  pid_t process_ = -1;
  int status_ = 0;
  bool ended_ = false, has_status_ = false, late_ = false;
  Clock::time_point begin_;
  std::string words_;
};

}  // namespace

std::vector<LoadTrial> try_in_child(const std::vector<std::string>& paths, const Work& work, double limit_s) {
  std::vector<LoadTrial> trials(paths.size());
  for (size_t first = 0; first < paths.size();) {
    Child child(paths, first, trials, limit_s);
    if (!child.start(work)) break;
    first = child.watch();
  }
  return trials;
}

}  // namespace plait
