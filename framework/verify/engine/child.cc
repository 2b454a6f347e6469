#include "verify/engine/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "verify/engine/sanitizer.h"

namespace plait::inline verify {
namespace {

constexpr char kDone[] = "\n[done]";  // the end of an answer that was not cut short

// Pipes and sockets that are open: the one over which results come back, and others of verify's. Files and
// devices may be a driver's.
class OpenPipes {
 public:
  OpenPipes() {
    for (int number = STDERR_FILENO + 1; number < kMost; ++number)
      if (const auto pipe = identity(number)) pipes_.emplace_back(number, *pipe);
  }
  bool are_still() const {
    return std::ranges::all_of(pipes_, [](const auto& one) { return identity(one.first) == one.second; });
  }

 private:
  using Identity = std::pair<dev_t, ino_t>;
  static constexpr int kMost = 256;
  static std::optional<Identity> identity(int descriptor) {
    struct stat file {};
    if (::fstat(descriptor, &file) != 0 || !(S_ISFIFO(file.st_mode) || S_ISSOCK(file.st_mode)))
      return std::nullopt;
    return Identity(file.st_dev, file.st_ino);
  }
  std::vector<std::pair<int, Identity>> pipes_;
};

// The last line that is not empty.
std::string last_line(const std::string& text) {
  const size_t end = text.find_last_not_of(" \n\r\t");
  if (end == std::string::npos) return "";
  const size_t before = text.rfind('\n', end);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  return text.substr(begin, std::min<size_t>(end + 1 - begin, 300));
}

// What a plugin prints would lie among the results; what it says of errors is kept.
const ChildSetup kTest{.out = ChildSetup::kNowhere,
                       .err = ChildSetup::kRead,
                       .group = ChildSetup::Group::kOwnEndsWithIt,
                       .at_parents_end = SIGKILL,  // or one that hangs would go on after Ctrl-C
                       .writes_core = false};

int be_child(int descriptor, TestProgress& progress, const std::filesystem::path& folder,
             const Child::Serve& work) {
  if (::chdir(folder.c_str()) != 0) ::_exit(1);
  const OpenPipes pipes;
  const std::string answer = work(progress, descriptor) + kDone;
  progress.lost_pipe = !pipes.are_still() || !write_all(descriptor, answer);
  ::_exit(0);  // destructors of plugins are not under test
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", number);
}

}  // namespace

bool write_all(int descriptor, std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t wrote = ::write(descriptor, text.data() + at, text.size() - at);
    if (wrote <= 0 && errno != EINTR) return false;
    if (wrote > 0) at += static_cast<size_t>(wrote);
  }
  return true;
}

void Child::Unmap::operator()(TestProgress* progress) const { ::munmap(progress, sizeof(TestProgress)); }

void Child::Remove::operator()(const std::filesystem::path* folder) const {
  std::error_code ignored;
  std::filesystem::remove_all(*folder, ignored);
  delete folder;
}

// Files of the plugin's hints, and whatever it writes, go with the folder.
Result<Child::Folder> Child::make_folder() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "plait_verify_XXXXXX").string();
  if (error) return {Code::kIo, fmt::format("folder for temporary files (TMPDIR): {}", error.message())};
  if (::mkdtemp(name.data()) == nullptr)
    return {Code::kIo, fmt::format("{}: {}", name, std::strerror(errno))};
  return Folder(new std::filesystem::path(name));
}

Result<Child> Child::start(WaitLoop& loop, const std::function<std::string(TestProgress&)>& work,
                           double limit_s) {
  return serve(
      loop, [&](TestProgress& progress, int) { return work(progress); }, ChildSetup::kNowhere, limit_s);
}

Result<Child> Child::serve(WaitLoop& loop, const Serve& work, int in, double limit_s) {
  void* shared =
      ::mmap(nullptr, sizeof(TestProgress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return {Code::kIo, std::string("mmap: ") + std::strerror(errno)};
  Progress progress(static_cast<TestProgress*>(shared));
  PLAIT_ASSIGN(Folder folder, make_folder());
  ChildSetup setup = kTest;
  setup.in = in;
  PLAIT_ASSIGN(ChildProcess process,
               ChildProcess::fork(
                   loop, [&](int answer) { return be_child(answer, *progress, *folder, work); }, setup));
  return Child(std::move(process), std::move(progress), std::move(folder), limit_s);
}

Child::Child(ChildProcess process, Progress progress, Folder folder, double limit_s)
    : progress_(std::move(progress)),
      folder_(std::move(folder)),
      process_(std::move(process)),
      limit_s_(limit_s),
      begin_(std::chrono::steady_clock::now()) {}

double Child::age() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

double Child::used_s() const {
  clockid_t clock;
  timespec used{};
  if (::clock_getcpuclockid(process_.id(), &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

std::chrono::milliseconds Child::patience(double limit_s) {
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(limit_s / 10));
}

bool Child::is_late() {
  constexpr double kStill = 1e-3;  // of the time that passes
  constexpr double kOldest = 10;   // limits
  const double now = age(), used = used_s();
  if (used - used_s_ > kStill * (now - moved_s_)) used_s_ = used, moved_s_ = now;
  return used > limit_s_ || now - moved_s_ > limit_s_ || now > kOldest * limit_s_;
}

bool Child::has_ended() {
  if (process_.has_ended() && seconds_ == 0) seconds_ = age();
  return process_.has_ended();
}

void Child::kill() {
  hung_ = true;
  seconds_ = age();
  process_.kill();
}

bool Child::is_over() {
  if (has_ended()) return true;
  if (!is_late()) return false;
  kill();
  return true;
}

Result<std::string> Child::wait(WaitLoop& loop) {
  while (!is_over()) loop.wait(patience(limit_s_));
  return answer();
}

std::string Child::at() const {
  return progress_->text[0] != '\0' ? fmt::format(": {}", progress_->text) : "";
}

Result<std::string> Child::answer(std::string taken) {
  const std::string text = std::move(taken) + process_.take_answer();
  if (progress_->lost_pipe)
    return {
        Code::kPlugin,
        fmt::format("closes a file descriptor that is not its own, one over which verify's processes talk{}",
                    at())};
  if (text.ends_with(kDone)) return text.substr(0, text.size() - std::strlen(kDone));
  if (hung_)
    return {Code::kPlugin, fmt::format("hangs (no answer within {:g} s of its own time){}", limit_s_, at())};
  const std::string& errors = process_.output();
  if (const std::string report = sanitizer_report(errors); !report.empty())
    return {Code::kPlugin, fmt::format("{}{}", report, at())};
  const std::string line = last_line(errors);
  const std::string said = line.empty() ? "" : fmt::format("; its last words: {}", line);
  if (const int number = process_.ending().signal; number != 0) {
    const char* hint = number == SIGABRT ? ", an exception or an assertion that nobody caught" : "";
    return {Code::kPlugin, fmt::format("crashes ({}{}){}{}", signal_name(number), hint, at(), said)};
  }
  return {Code::kPlugin,
          fmt::format("ends the process with status {}{}{}", process_.ending().exit_status, at(), said)};
}

}  // namespace plait::inline verify
