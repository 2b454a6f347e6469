#include "verify/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "verify/sanitizer.h"

namespace plait {
namespace {

constexpr char kDone[] = "\n[done]";  // the end of an answer that was not cut short

bool write_all(int descriptor, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t wrote = ::write(descriptor, text.data() + at, text.size() - at);
    if (wrote <= 0 && errno != EINTR) return false;
    if (wrote > 0) at += static_cast<size_t>(wrote);
  }
  return true;
}

// A file that is open, by device and number; zeros: none.
std::pair<dev_t, ino_t> identity(int descriptor) {
  struct stat file {};
  return ::fstat(descriptor, &file) == 0 ? std::pair(file.st_dev, file.st_ino) : std::pair<dev_t, ino_t>();
}

// Files of the plugin's hints, and whatever it writes, go with the folder.
std::string make_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "plait_verify_XXXXXX").string();
  return ::mkdtemp(name.data()) != nullptr && ::chdir(name.c_str()) == 0 ? name : "";
}

// The last line that is not empty.
std::string last_line(const std::string& text) {
  const size_t end = text.find_last_not_of(" \n\r\t");
  if (end == std::string::npos) return "";
  const size_t before = text.rfind('\n', end);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  return text.substr(begin, std::min<size_t>(end + 1 - begin, 300));
}

[[noreturn]] void be_child(int descriptor, int errors, TestProgress* progress,
                           const std::function<std::string(TestProgress&)>& work) {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::setpgid(0, 0);
  // What a plugin prints would lie among the results.
  if (const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC); null >= 0)
    ::dup2(null, STDOUT_FILENO), ::dup2(errors >= 0 ? errors : null, STDERR_FILENO);
  const std::string folder = make_folder();
  const auto pipe = identity(descriptor);
  const std::string answer = work(*progress) + kDone;
  progress->lost_pipe = identity(descriptor) != pipe || !write_all(descriptor, answer);
  std::error_code ignored;
  if (!folder.empty()) std::filesystem::remove_all(folder, ignored);
  ::_exit(0);  // destructors of plugins are not under test
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", number);
}

}  // namespace

Result<Child> Child::start(const std::function<std::string(TestProgress&)>& work, double limit_s) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {Code::kIo, std::string("pipe: ") + std::strerror(errno)};
  void* shared =
      ::mmap(nullptr, sizeof(TestProgress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return {Code::kIo, std::string("mmap: ") + std::strerror(errno)};
  auto* progress = static_cast<TestProgress*>(shared);
  const int errors = ::memfd_create("standard error", MFD_CLOEXEC);
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return {Code::kIo, std::string("fork: ") + std::strerror(errno)};
  if (pid == 0) {
    ::close(ends[0]);
    be_child(ends[1], errors, progress, work);
  }
  ::close(ends[1]);
  return Child(pid, ends[0], errors, progress, limit_s);
}

Child::Child(pid_t pid, int pipe, int errors, TestProgress* progress, double limit_s)
    : pid_(pid),
      pipe_(pipe),
      errors_(errors),
      progress_(progress),
      limit_s_(limit_s),
      begin_(std::chrono::steady_clock::now()) {}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pipe_(std::exchange(other.pipe_, -1)),
      errors_(std::exchange(other.errors_, -1)),
      progress_(std::exchange(other.progress_, nullptr)),
      limit_s_(other.limit_s_),
      begin_(other.begin_),
      text_(std::move(other.text_)) {}

Child::~Child() {
  if (pid_ > 0) kill();
  if (pipe_ >= 0) ::close(pipe_);
  if (errors_ >= 0) ::close(errors_);
  if (progress_ != nullptr) ::munmap(progress_, sizeof(TestProgress));
}

double Child::age() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

double Child::used_s() const {
  clockid_t clock;
  timespec used{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

double Child::patience_s() const { return limit_s_ / 10; }

bool Child::is_late() {
  constexpr double kStill = 1e-3;  // of the time that passes
  constexpr double kOldest = 10;   // limits
  const double now = age(), used = used_s();
  if (used - used_s_ > kStill * (now - moved_s_)) used_s_ = used, moved_s_ = now;
  return used > limit_s_ || now - moved_s_ > limit_s_ || now > kOldest * limit_s_;
}

bool Child::take() {
  char buffer[4096];
  const ssize_t got = ::read(pipe_, buffer, sizeof buffer);
  if (got > 0) return text_.append(buffer, static_cast<size_t>(got)), false;
  if (got < 0 && errno == EINTR) return false;
  ::waitpid(std::exchange(pid_, -1), &status_, 0);
  seconds_ = age();
  return true;
}

void Child::kill() {
  hung_ = true;
  seconds_ = age();
  const pid_t pid = std::exchange(pid_, -1);
  ::kill(-pid, SIGKILL);  // with what it may have started
  ::kill(pid, SIGKILL);
  ::waitpid(pid, &status_, 0);
}

std::string Child::at() const {
  return progress_->text[0] != '\0' ? fmt::format(": {}", progress_->text) : "";
}

std::string Child::errors() const {
  constexpr size_t kMost = 1 << 20;
  std::string text(kMost, '\0');
  const ssize_t got = errors_ < 0 ? 0 : ::pread(errors_, text.data(), kMost, 0);
  text.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

Result<std::string> Child::answer() {
  if (text_.ends_with(kDone)) return text_.substr(0, text_.size() - std::strlen(kDone));
  if (hung_)
    return {Code::kPlugin, fmt::format("hangs (no answer within {:g} s of its own time){}", limit_s_, at())};
  const std::string errors = this->errors();
  if (const std::string report = sanitizer_report(errors); !report.empty())
    return {Code::kPlugin, fmt::format("{}{}", report, at())};
  if (progress_->lost_pipe)
    return {
        Code::kPlugin,
        fmt::format("closes a file descriptor that is not its own, the one over which results come back{}",
                    at())};
  const std::string line = last_line(errors);
  const std::string said = line.empty() ? "" : fmt::format("; its last words: {}", line);
  if (WIFSIGNALED(status_)) {
    const char* hint =
        WTERMSIG(status_) == SIGABRT ? ", an exception or an assertion that nobody caught" : "";
    return {Code::kPlugin,
            fmt::format("crashes ({}{}){}{}", signal_name(WTERMSIG(status_)), hint, at(), said)};
  }
  return {Code::kPlugin,
          fmt::format("ends the process with status {}{}{}", WEXITSTATUS(status_), at(), said)};
}

}  // namespace plait
