// A folder for a command's own files, gone when the command ends.
#pragma once
#include <string>

#include "base/status.h"

namespace plait::inline cli {

// Threads: [one at a time]
class ScratchFolder {
 public:
  // In the system's folder for such files. Fails with: kIo.
  static Result<ScratchFolder> create();
  ~ScratchFolder();
  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;  // "": moved from
};

}  // namespace plait::inline cli
