#include "report/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "report/bar.h"
#include "report/json_lines.h"
#include "report/plain.h"

namespace plait {

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
    mode = ::isatty(::fileno(stream)) ? ProgressMode::kBar : ProgressMode::kPlain;
  switch (mode) {
    case ProgressMode::kBar:
      return std::make_unique<Bar>(stream);
    case ProgressMode::kJson:
      return std::make_unique<JsonLines>(stream);
    case ProgressMode::kNone:
      return std::make_unique<Observer>();
    default:
      return std::make_unique<Plain>(stream);
  }
}

}  // namespace plait
