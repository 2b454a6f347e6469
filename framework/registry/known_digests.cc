#include "registry/known_digests.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <thread>

#include "base/sha256.h"
#include "registry/cache_file.h"

namespace plait::inline registry {
namespace {

constexpr size_t kDigits = 64;
constexpr unsigned kMostThreads = 8;

double seconds_of(const timespec& time) {
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

bool has_settled(const std::string& path, double for_s) {
  struct stat info {};
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  return ::stat(path.c_str(), &info) == 0 &&
         std::max(seconds_of(info.st_mtim), seconds_of(info.st_ctim)) + for_s <= now.count();
}

bool is_digest(std::string_view text) {
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// "DIGEST IDENTITY", by identity.
std::map<std::string, std::string> known_of(const std::vector<std::string>& lines) {
  std::map<std::string, std::string> known;
  for (const std::string& line : lines)
    if (line.size() > kDigits + 1 && line[kDigits] == ' ' && is_digest(line.substr(0, kDigits)))
      known[line.substr(kDigits + 1)] = line.substr(0, kDigits);
  return known;
}

struct File {
  const std::string& path;
  std::optional<std::string> identity;
  bool may_be_kept = false;
  std::optional<Result<std::string>> digest;
};

void read(const std::vector<File*>& files, double settled_s) {
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < files.size(); i = next++) {
      File& file = *files[i];
      const bool settled = file.identity && has_settled(file.path, settled_s);
      file.digest = Sha256::hex_of_file(file.path);
      file.may_be_kept = settled && *file.digest && file_identity(file.path) == file.identity;
    }
  };
  const auto at_once = std::min<size_t>({std::thread::hardware_concurrency(), kMostThreads, files.size()});
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < at_once; ++i) threads.emplace_back(work);
  work();
}

void keep(const CacheFile& cache, const std::vector<File*>& files) {
  std::vector<std::string> lines = cache.lines();  // again: others may have added theirs
  bool changes = false;
  for (const File* file : files) {
    if (!file->may_be_kept) continue;
    const std::string& identity = *file->identity;
    const std::string of_path = identity.substr(identity.find(" /"));
    std::erase_if(lines, [&](const std::string& line) { return line.ends_with(of_path); });
    lines.push_back(**file->digest + " " + identity);
    changes = true;
  }
  if (changes) cache.write(lines);
}

}  // namespace

std::string KnownDigests::default_file() { return CacheFile::of_user("digests.txt"); }

std::vector<Result<std::string>> KnownDigests::of(const std::vector<std::string>& paths) const {
  const CacheFile cache(file, "plait digests 1");
  const std::map<std::string, std::string> known = known_of(cache.lines());
  std::vector<File> files;
  for (const std::string& path : paths) files.push_back({path, file_identity(path), false, {}});
  std::vector<File*> unknown;
  for (File& one : files) {
    const auto it = one.identity ? known.find(*one.identity) : known.end();
    if (it != known.end())
      one.digest = it->second;
    else
      unknown.push_back(&one);
  }
  read(unknown, settled_s);
  keep(cache, unknown);
  std::vector<Result<std::string>> digests;
  for (File& one : files) digests.push_back(*std::move(one.digest));
  return digests;
}

}  // namespace plait::inline registry
