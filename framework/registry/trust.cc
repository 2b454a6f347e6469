#include "registry/trust.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/sha256.h"

namespace plait::inline registry {
namespace {

namespace fs = std::filesystem;

// Without links; "" when it is not there.
std::string real_path(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  return error ? "" : real.string();
}

bool others_may_write(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) != 0 || (info.st_mode & S_IWOTH) != 0;
}

uint64_t size_of_file(const std::string& path) {
  std::error_code error;
  const uint64_t size = fs::file_size(path, error);
  return error ? 0 : size;
}

// Of equal size first: a file of any size may be named.
bool same_bytes(const std::string& a, const std::string& b) {
  const uint64_t size = size_of_file(a);
  if (size == 0 || size != size_of_file(b)) return false;
  const auto one = Sha256::hex_of_file(a), other = Sha256::hex_of_file(b);
  return one && other && *one == *other;
}

}  // namespace

Trust::Trust(const SearchPath& own) : files_(own.files) {
  for (const std::string& folder : own.folders)
    if (const std::string real = real_path(folder); !real.empty() && !others_may_write(real))
      folders_.push_back(real);
}

bool Trust::is_named(const std::string& path) const {
  return std::any_of(files_.begin(), files_.end(),
                     [&](const std::string& file) { return same_bytes(path, file); });
}

bool Trust::lies_in_folder(const std::string& path) const {
  const std::string folder = real_path(fs::path("." / fs::path(path)).parent_path());
  return std::find(folders_.begin(), folders_.end(), folder) != folders_.end();
}

Trust::Verdict Trust::of_library(const std::string& path) const {
  const std::string real = real_path(path);
  if (real.empty()) return Verdict::kStranger;
  if (is_named(real)) return Verdict::kNamed;
  // A link that lies in the folder is loaded with it, wherever it leads.
  const bool known = lies_in_folder(real) || lies_in_folder(path);
  return known && !others_may_write(real) ? Verdict::kInFolder : Verdict::kStranger;
}

Trust::Verdict Trust::of_folder(const std::string& path) const {
  const std::string real = real_path(path);
  if (real.empty()) return Verdict::kStranger;
  if (std::find(folders_.begin(), folders_.end(), real) != folders_.end()) return Verdict::kInFolder;
  const std::vector<std::string> libraries = libraries_in(real);
  const bool all_named = std::all_of(libraries.begin(), libraries.end(),
                                     [&](const std::string& library) { return is_named(library); });
  return !libraries.empty() && all_named ? Verdict::kNamed : Verdict::kStranger;
}

}  // namespace plait::inline registry
