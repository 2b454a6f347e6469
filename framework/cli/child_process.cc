#include "cli/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

namespace plait {
namespace {

constexpr int kLookEvery_ms = 20;

}  // namespace

std::string Ending::text() const {
  if (signal != 0) return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  return exit_status == 0 ? "" : "status " + std::to_string(exit_status);
}

Result<pid_t> start_program(const std::vector<std::string>& words, const std::string& log) {
  const int file =
      ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  if (file < 0) return {Code::kIo, "\"" + log + "\": " + std::strerror(errno)};
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    std::fprintf(stderr, "plait: %s: %s\n", arguments[0], std::strerror(errno));
    ::_exit(127);
  }
  const int error = errno;
  ::close(file);
  if (child < 0) return {Code::kIo, std::string("a process cannot be begun: ") + std::strerror(error)};
  return child;
}

Result<std::optional<Ending>> wait_for_any(int patience_ms) {
  int status = 0;
  pid_t process = 0;
  for (int waited_ms = 0; (process = ::waitpid(-1, &status, WNOHANG)) == 0; waited_ms += kLookEvery_ms) {
    if (waited_ms >= patience_ms) return std::optional<Ending>();
    std::this_thread::sleep_for(std::chrono::milliseconds(kLookEvery_ms));
  }
  if (process < 0) return {Code::kIo, std::string("waiting for a process: ") + std::strerror(errno)};
  Ending ending;
  ending.process = process;
  if (WIFSIGNALED(status))
    ending.signal = WTERMSIG(status);
  else
    ending.exit_status = WEXITSTATUS(status);
  return std::optional<Ending>(ending);
}

}  // namespace plait
