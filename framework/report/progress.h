// report/: what a person sees of a run: a progress bar on a terminal, plain lines in a file or pipe, JSON
// lines for programs. Only rank 0's observer is told anything (train/observer.h).
#pragma once
#include <cstdio>
#include <memory>
#include <string>

#include "train/observer.h"

namespace plait::inline report {

enum class ProgressMode {
  kAuto,  // a bar when the stream is a terminal, else plain lines
  kBar,
  kPlain,
  kJson,
  kNone,  // warnings alone, on standard error
};

// "bar", "plain", "json", "none", "auto". Fails with: kUsage naming what there is.
Result<ProgressMode> progress_mode(const std::string& name);

// Writes to `stream`, flushed line by line; must outlive the observer. Messages and warnings go to the same
// stream.
std::unique_ptr<Observer> make_progress(ProgressMode mode, std::FILE* stream);

}  // namespace plait::inline report
