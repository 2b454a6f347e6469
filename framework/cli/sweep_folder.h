// The folder of a sweep: what it goes through is written there, so that it can go on; one sweep at a time
// works in it.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "base/files.h"

namespace plait {

class SweepFolder {
 public:
  // `recipe`: all that decides which runs the sweep has. A folder that is not there is made.
  // Fails with: kInvalid when another program works in the folder, when it holds a sweep and `resume` is
  // false, or another recipe and `resume` is true; kNotFound when there is none to resume; kIo.
  static Result<SweepFolder> open(Files& files, const std::string& path, const nlohmann::ordered_json& recipe,
                                  bool resume);
  SweepFolder(SweepFolder&& other) noexcept;
  SweepFolder& operator=(SweepFolder&&) = delete;
  ~SweepFolder();

  const std::string& path() const { return path_; }

 private:
  SweepFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_;  // an open folder under flock, -1: none
};

}  // namespace plait
