// The folder of a sweep: what it goes through is written there, so that it can go on; one sweep at a time
// works in it.
#pragma once
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/files.h"

namespace plait::inline cli {

class SweepFolder {
 public:
  // `recipe`: all that decides which runs the sweep has. `holder` says who this is. A folder that is not
  // there is made. Fails with: kPeer naming the sweep that works in the folder; kInvalid when it holds a
  // sweep and `resume` is false, or another recipe and `resume` is true; kNotFound when there is none to
  // resume; kIo.
  static Result<SweepFolder> open(Files& files, const std::string& path, const nlohmann::ordered_json& recipe,
                                  bool resume, const std::string& holder);

  const std::string& path() const { return path_; }
  // For people: why nothing keeps other sweeps out of the folder; "" where the lock is held.
  const std::string& warning() const { return warning_; }

 private:
  SweepFolder(std::string path, std::unique_ptr<FileLock> lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  std::string warning_;
  std::unique_ptr<FileLock> lock_;
};

}  // namespace plait::inline cli
