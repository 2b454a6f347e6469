// A text file of lines in the user's cache folder, of what is found out at a cost: losing it, or any line of
// it, costs finding it out again and nothing else.
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace plait::inline registry {

// Which bytes a path means, told without reading them: device, inode, size, the times of change of content
// and inode, and the path. Nullopt: there is no such file, or its name has a line's end.
std::optional<std::string> file_identity(const std::string& path);

class CacheFile {
 public:
  // $XDG_CACHE_HOME/plait/NAME, ~/.cache/plait/NAME without it; "" where there is no home.
  static std::string of_user(const std::string& name);

  // `heading`: the first line, which names format and version. `path` "": nothing is kept.
  CacheFile(std::string path, std::string heading) : path_(std::move(path)), heading_(std::move(heading)) {}

  // None where the file is not there or not of this heading; never one that was cut.
  std::vector<std::string> lines() const;
  // In one step: processes that do so at once may lose each other's lines, but never leave half a file. The
  // oldest, which are first, go beyond 1,000. A folder that cannot be written to is no failure.
  void write(const std::vector<std::string>& lines) const;

 private:
  std::string path_, heading_;
};

}  // namespace plait::inline registry
