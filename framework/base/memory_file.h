// Bytes that are in memory under a path, for those who read files: what came through a pipe, say.
#pragma once
#include <string>
#include <string_view>

#include "base/regular_file.h"

namespace plait::inline base {

// A regular file that lives in memory, for as long as this does; only this process can open it.
class MemoryFile {
 public:
  // Fails with: kIo where the system has no memory for it, or shows no open files in /proc.
  static Result<MemoryFile> create(std::string_view bytes);
  // "/proc/self/fd/9"
  const std::string& path() const { return path_; }

 private:
  MemoryFile(Descriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  Descriptor file_;
  std::string path_;
};

}  // namespace plait::inline base
