#include "io/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "base/regular_file.h"
#include "io/exit_watch.h"
#include "io/loop_body.h"

namespace plait::inline io {
namespace {

using boost::system::error_code;
using PipeEnd = boost::asio::posix::stream_descriptor;
using Clock = std::chrono::steady_clock;

constexpr size_t kPiece_bytes = size_t{1} << 14;
constexpr size_t kMostInPipe_bytes = size_t{1} << 20;  // fs.pipe-max-size
constexpr int kNotBegun = 127;                         // a shell's status

struct Pipe {
  Descriptor read_end, write_end;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {Code::kIo, std::string("pipe: ") + std::strerror(errno)};
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// No signal is handled by this thread while it lives; `before`: what it blocked already.
class HeldSignals {
 public:
  HeldSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~HeldSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  const sigset_t& before() const { return before_; }

 private:
  sigset_t before_;
};

// ---- in the child

// Nothing of this process is left to a child that may misbehave. What came while signals were held back was
// for the parent: ignoring a signal forgets it.
void default_signals() {
  for (int number = 1; number < NSIG; ++number) {
    ::signal(number, SIG_IGN);
    ::signal(number, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

// As exec will have it. Until then a handler of this process would write to what both share.
void no_handlers() {
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) ::signal(number, SIG_DFL);
  }
}

void lay_stream(int stream, int wanted, int output) {
  if (wanted == ChildSetup::kSame) return;
  if (wanted == ChildSetup::kNowhere)
    wanted = ::open("/dev/null", (stream == STDIN_FILENO ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
  else if (wanted == ChildSetup::kRead)
    wanted = output;
  if (wanted >= 0) ::dup2(wanted, stream);
}

[[noreturn]] void be_child(const std::function<int(int)>& work, int answer, int output, bool is_program,
                           pid_t parent, const sigset_t& mask, const ChildSetup& setup) noexcept {
  if (setup.at_parents_end != 0) {
    ::prctl(PR_SET_PDEATHSIG, setup.at_parents_end);
    if (::getppid() != parent) ::_exit(0);
  }
  if (setup.group != ChildSetup::Group::kCallers) ::setpgid(0, 0);
  if (!setup.writes_core) {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
  }
  if (setup.default_signals) {
    default_signals();
  } else {
    if (is_program) no_handlers();
    ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  }
  lay_stream(STDIN_FILENO, setup.in, -1);
  lay_stream(STDOUT_FILENO, setup.out, output);
  lay_stream(STDERR_FILENO, setup.err, output);
  if (output >= 0) ::close(output);
  const int status = work(answer);
  std::fflush(nullptr);
  ::_exit(status);
}

int be_program(const std::vector<char*>& arguments) {
  ::execvp(arguments[0], arguments.data());
  std::fprintf(stderr, "plait: %s: %s\n", arguments[0], std::strerror(errno));
  return kNotBegun;
}

}  // namespace

std::string Ending::text() const {
  if (signal != 0) return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  return exit_status == 0 ? "" : "status " + std::to_string(exit_status);
}

struct ChildProcess::Body : std::enable_shared_from_this<Body> {
  Body(WaitLoop& of, const ChildSetup& wanted)
      : loop(of), setup(wanted), output_end(of.body().context), answer_end(of.body().context) {}

  // Handlers may be called after the child's end: they find what they read from closed.
  void listen(PipeEnd& end, std::string& text, size_t most) {
    end.async_wait(PipeEnd::wait_read,
                   [self = shared_from_this(), &end, &text, most](const error_code& error) {
                     if (!error && end.is_open() && self->read_piece(end, text, most))
                       self->listen(end, text, most);
                   });
  }

  // False when no more can come now.
  bool read_piece(PipeEnd& end, std::string& text, size_t most) {
    std::array<char, kPiece_bytes> piece;
    const ssize_t got = ::read(end.native_handle(), piece.data(), piece.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    error_code ignored;
    if (got <= 0) return end.close(ignored), false;
    text.append(piece.data(), static_cast<size_t>(got));
    if (text.size() > most) text.erase(0, text.size() - most);
    return true;
  }

  // What was written before the end. A child's child may hold the pipe open, and go on writing.
  void drain(PipeEnd& end, std::string& text, size_t most) {
    error_code ignored;
    if (!end.is_open()) return;
    ::fcntl(end.native_handle(), F_SETFL, O_NONBLOCK);
    for (size_t read = 0; read < kMostInPipe_bytes && end.is_open(); read += kPiece_bytes) {
      errno = 0;
      if (!read_piece(end, text, most) || errno == EAGAIN) break;
    }
    end.close(ignored);
  }

  void kill_group() const {
    if (setup.group != ChildSetup::Group::kCallers) ::kill(-process, SIGKILL);
  }

  // Waits where the process has not ended.
  void finish() {
    // As long as it is not waited for, its number is no other process's.
    if (setup.group == ChildSetup::Group::kOwnEndsWithIt) kill_group();
    int status = 0;
    pid_t answered = 0;
    while ((answered = ::waitpid(process, &status, 0)) < 0 && errno == EINTR) continue;
    ending.is_known = answered == process;
    if (ending.is_known && WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
    if (ending.is_known && WIFEXITED(status)) ending.exit_status = WEXITSTATUS(status);
    drain(output_end, output, setup.most_output_bytes);
    drain(answer_end, answer, std::string::npos);
    stop_watching();
  }

  void stop_watching() {
    ended = true;
    error_code ignored;
    output_end.close(ignored);
    answer_end.close(ignored);
    if (watch) watch->cancel();
    watch.reset();
  }

  WaitLoop& loop;
  const ChildSetup setup;
  PipeEnd output_end, answer_end;
  std::shared_ptr<ExitWatch> watch;
  pid_t process = -1;
  std::string output, answer;
  Ending ending;
  bool ended = false;
};

Result<ChildProcess> ChildProcess::begin(WaitLoop& loop, const std::function<int(int)>& work, bool has_answer,
                                         const ChildSetup& setup) {
  auto body = std::make_shared<Body>(loop, setup);
  std::optional<Pipe> output, answer;
  if (setup.out == ChildSetup::kRead || setup.err == ChildSetup::kRead) {
    PLAIT_ASSIGN(output, make_pipe());
  }
  if (has_answer) {
    PLAIT_ASSIGN(answer, make_pipe());
  }
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  {
    const HeldSignals held;
    body->process = ::fork();
    if (body->process == 0) {
      const int answer_to = answer ? answer->write_end.get() : -1,
                write_to = output ? output->write_end.get() : -1;
      for (const auto* pipe : {&output, &answer})
        if (*pipe) ::close((*pipe)->read_end.get());
      be_child(work, answer_to, write_to, !has_answer, parent, held.before(), setup);
    }
    if (body->process < 0)
      return {Code::kIo, std::string("a process cannot be begun: ") + std::strerror(errno)};
  }
  if (setup.group != ChildSetup::Group::kCallers)
    ::setpgid(body->process, body->process);  // whoever comes first
  ChildProcess child(body);
  try {
    const auto read_from = [&](std::optional<Pipe>& pipe, PipeEnd& end, std::string& text, size_t most) {
      if (!pipe) return;
      end.assign(pipe->read_end.get());
      pipe->read_end.release();
      body->listen(end, text, most);
    };
    read_from(output, body->output_end, body->output, setup.most_output_bytes);
    read_from(answer, body->answer_end, body->answer, std::string::npos);
    body->watch = ExitWatch::begin(loop.body().context, body->process, [weak = std::weak_ptr<Body>(body)] {
      if (const auto self = weak.lock(); self && !self->ended) self->finish();
    });
  } catch (const std::exception& refused) {
    return {Code::kIo, std::string("a process cannot be watched: ") + refused.what()};  // and is killed
  }
  return child;
}

Result<ChildProcess> ChildProcess::fork(WaitLoop& loop, const std::function<int(int)>& work,
                                        const ChildSetup& setup) {
  return begin(loop, work, true, setup);
}

Result<ChildProcess> ChildProcess::start(WaitLoop& loop, const std::vector<std::string>& words,
                                         const ChildSetup& setup) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  return begin(
      loop, [&](int) { return be_program(arguments); }, false, setup);
}

ChildProcess::ChildProcess(std::shared_ptr<Body> body) : body_(std::move(body)) {}
ChildProcess::ChildProcess(ChildProcess&& other) noexcept = default;
ChildProcess::~ChildProcess() {
  if (body_) kill();
}

pid_t ChildProcess::id() const { return body_->process; }
bool ChildProcess::has_ended() const { return body_->ended; }
const Ending& ChildProcess::ending() const { return body_->ending; }
const std::string& ChildProcess::output() const { return body_->output; }
std::string ChildProcess::take_answer() { return std::exchange(body_->answer, {}); }

bool ChildProcess::wait(std::chrono::nanoseconds patience) {
  const Clock::time_point last = Clock::now() + patience;
  while (!has_ended()) {
    const auto left = last - Clock::now();
    if (left <= left.zero()) return false;
    body_->loop.wait(left);
  }
  return true;
}

void ChildProcess::send(int signal) {
  if (!has_ended()) ::kill(body_->process, signal);
}

void ChildProcess::kill() {
  if (has_ended()) return;
  body_->kill_group();
  ::kill(body_->process, SIGKILL);
  body_->finish();
}

void ChildProcess::leave() { body_->stop_watching(); }

}  // namespace plait::inline io
