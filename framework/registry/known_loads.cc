#include "registry/known_loads.h"

#include <fmt/format.h>
#include <plait/abi.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <sstream>

#include "base/files.h"
#include "base/sha256.h"

namespace plait::inline registry {
namespace {

constexpr char kHeading[] = "plait loads 1";
constexpr size_t kMostLines = 1000;  // of all builds of Plait that this user has; the oldest go
constexpr uint64_t kMostBytes = 1 << 20;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

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

std::string KnownLoads::default_file() {
  if (const std::string cache = environment("XDG_CACHE_HOME"); cache.starts_with('/'))
    return cache + "/plait/loads.txt";
  const std::string home = environment("HOME");
  return home.starts_with('/') ? home + "/.cache/plait/loads.txt" : "";
}

KnownLoads::KnownLoads(std::string file, std::string host) : file_(std::move(file)), host_(std::move(host)) {
  for (std::string& line : read_lines()) known_.insert(std::move(line));
}

// The last line counts only with its end: the file may have been cut.
std::vector<std::string> KnownLoads::read_lines() const {
  const auto text = SystemFiles().read(file_, kMostBytes);
  if (!text) return {};
  std::istringstream file(*text);
  std::vector<std::string> lines;
  std::string line;
  if (!std::getline(file, line) || line != kHeading) return {};
  while (std::getline(file, line) && !file.eof()) lines.push_back(line);
  return lines;
}

void KnownLoads::record(const std::vector<std::string>& good, const std::vector<std::string>& bad) {
  std::vector<std::string> lines = read_lines();
  // What the path was before is gone.
  const auto forget = [&](const std::string& identity) {
    const std::string of_path = identity.substr(identity.find(" /"));
    std::erase_if(lines, [&](const std::string& line) {
      return line.starts_with(host_ + " ") && line.ends_with(of_path);
    });
  };
  bool changes = false;
  for (const std::string& identity : bad) {
    if (known_.erase(host_ + " " + identity) > 0) forget(identity), changes = true;
  }
  for (const std::string& identity : good) {
    if (has(identity)) continue;
    forget(identity);
    lines.push_back(*known_.insert(host_ + " " + identity).first);
    changes = true;
  }
  if (changes) write(lines);
}

void KnownLoads::write(const std::vector<std::string>& lines) const {
  if (file_.empty()) return;
  std::string text = kHeading + std::string("\n");
  const size_t first = lines.size() > kMostLines ? lines.size() - kMostLines : 0;
  for (size_t i = first; i < lines.size(); ++i) text += lines[i] + "\n";
  SystemFiles files;
  if (files.make_directories(std::filesystem::path(file_).parent_path()))
    static_cast<void>(files.write_atomically(file_, text));
}

std::string host_identity() {
  std::error_code error;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  std::string text = fmt::format("{} {}.{}", PLAIT_VERSION, PLAIT_ABI_MINOR, PLAIT_ABI_DRAFT);
  for (const char* name : {"LD_LIBRARY_PATH", "LD_PRELOAD"}) text += '\0' + environment(name);
  return Sha256::hex_of(text + '\0' + file_identity(program).value_or(program)).substr(0, 16);
}

}  // namespace plait::inline registry
