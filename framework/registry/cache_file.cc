#include "registry/cache_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <sstream>

#include "base/files.h"
#include "registry/environment.h"

namespace plait::inline registry {
namespace {

constexpr size_t kMostLines = 1000;  // of all builds of Plait that this user has
constexpr uint64_t kMostBytes = 1 << 20;

}  // namespace

std::optional<std::string> file_identity(const std::string& path) {
  struct stat info {};
  std::error_code error;
  const std::string whole = std::filesystem::absolute(path, error).lexically_normal().string();
  if (error || ::stat(path.c_str(), &info) != 0 || whole.find('\n') != std::string::npos) return std::nullopt;
  return fmt::format("{} {} {} {}.{:09} {}.{:09} {}", info.st_dev, info.st_ino, info.st_size,
                     info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec,
                     whole);
}

std::string CacheFile::of_user(const std::string& name) {
  if (const std::string cache = environment("XDG_CACHE_HOME"); cache.starts_with('/'))
    return cache + "/plait/" + name;
  const std::string home = environment("HOME");
  return home.starts_with('/') ? home + "/.cache/plait/" + name : "";
}

// The last line counts only with its end: the file may have been cut.
std::vector<std::string> CacheFile::lines() const {
  if (path_.empty()) return {};
  const auto text = SystemFiles().read(path_, kMostBytes);
  if (!text) return {};
  std::istringstream file(*text);
  std::vector<std::string> lines;
  std::string line;
  if (!std::getline(file, line) || line != heading_) return {};
  while (std::getline(file, line) && !file.eof()) lines.push_back(line);
  return lines;
}

void CacheFile::write(const std::vector<std::string>& lines) const {
  if (path_.empty()) return;
  std::string text = heading_ + "\n";
  const size_t first = lines.size() > kMostLines ? lines.size() - kMostLines : 0;
  for (size_t i = first; i < lines.size(); ++i) text += lines[i] + "\n";
  SystemFiles files;
  if (files.make_directories(std::filesystem::path(path_).parent_path()))
    static_cast<void>(files.write_atomically(path_, text));
}

}  // namespace plait::inline registry
