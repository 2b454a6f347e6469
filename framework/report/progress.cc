#include "report/progress.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "base/shown.h"
#include "report/bar.h"
#include "report/json_lines.h"
#include "report/plain.h"

namespace plait::inline report {
namespace {

// mpirun gives its ranks a terminal of its own making, whatever it writes to itself: what counts is its own
// output.
bool reaches_a_terminal(std::FILE* stream) {
  if (!::isatty(::fileno(stream))) return false;
  if (std::getenv("PMIX_RANK") == nullptr) return true;
  const std::string parents = "/proc/" + std::to_string(::getppid()) + "/fd/1";
  const int fd = ::open(parents.c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK);
  const bool terminal = fd >= 0 && ::isatty(fd);
  if (fd >= 0) ::close(fd);
  return terminal;
}

// Nothing but warnings, which are on standard error like the program's others: the stream may be for a
// program.
class Silent : public Observer {
 public:
  void warning(const std::string& text) override {
    std::fputs(("plait: warning: " + shown_message(text) + "\n").c_str(), stderr);
  }
};

}  // namespace

Result<ProgressMode> progress_mode(const std::string& name) {
  if (name == "auto") return ProgressMode::kAuto;
  if (name == "bar") return ProgressMode::kBar;
  if (name == "plain") return ProgressMode::kPlain;
  if (name == "json") return ProgressMode::kJson;
  if (name == "none") return ProgressMode::kNone;
  return {Code::kUsage, "--progress: got \"" + name + "\", wanted bar, plain, json, none or auto"};
}

std::unique_ptr<Observer> make_progress(ProgressMode mode, std::FILE* stream) {
  if (mode == ProgressMode::kAuto)
    mode = reaches_a_terminal(stream) ? ProgressMode::kBar : ProgressMode::kPlain;
  switch (mode) {
    case ProgressMode::kBar:
      return std::make_unique<Bar>(stream);
    case ProgressMode::kJson:
      return std::make_unique<JsonLines>(stream);
    case ProgressMode::kNone:
      return std::make_unique<Silent>();
    default:
      return std::make_unique<Plain>(stream);
  }
}

}  // namespace plait::inline report
