#include "train/data_digest.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <thread>

#include "base/regular_file.h"
#include "base/sha256.h"

namespace plait::inline train {
namespace {

namespace fs = std::filesystem;

Status unreadable(const std::string& path, int error) {
  return {Code::kIo, path + ": cannot be read for its digest: " + std::strerror(error)};
}

constexpr uint64_t kBuffer_bytes = uint64_t{1} << 18;

Status add_bytes(const RegularFile& file, Sha256& digest, uint64_t offset, uint64_t bytes) {
  std::vector<std::byte> buffer(std::min(bytes, kBuffer_bytes));
  while (bytes > 0) {
    const size_t next = std::min<uint64_t>(bytes, buffer.size());
    PLAIT_TRY(file.read_at(offset, buffer.data(), next));
    digest.update(buffer.data(), next);
    offset += next;
    bytes -= next;
  }
  return {};
}

// Blocks at equal distances, the first and the last of the file among them.
Status add_blocks(const RegularFile& file, Sha256& digest, uint64_t blocks, uint64_t block_bytes) {
  const uint64_t last = file.size_bytes() - std::min(file.size_bytes(), block_bytes);
  const uint64_t step = blocks > 1 ? last / (blocks - 1) : 0, rest = blocks > 1 ? last % (blocks - 1) : 0;
  for (uint64_t i = 0; i < blocks; ++i) {
    const uint64_t at = blocks > 1 ? step * i + rest * i / (blocks - 1) : 0;
    PLAIT_TRY(add_bytes(file, digest, at, std::min(block_bytes, file.size_bytes())));
  }
  return {};
}

std::string bytes_text(uint64_t bytes) { return std::to_string(bytes) + " bytes"; }

Result<PathDigest> digest_file(const std::string& path, bool whole, const DigestLimits& limits) {
  PLAIT_ASSIGN(const RegularFile file, RegularFile::open(path));
  const uint64_t size = file.size_bytes();
  const bool small = size <= limits.whole_bytes;
  Sha256 digest;
  if (small) {
    PLAIT_TRY(add_bytes(file, digest, 0, size));
  } else {
    PLAIT_TRY(add_blocks(file, digest, limits.blocks, limits.block_bytes));
  }
  PathDigest made;
  made.text = bytes_text(size) + ", sha256 " + Sha256::hex_of(digest.digest()) +
              (small ? "" : " of " + std::to_string(limits.blocks) + " blocks");
  if (small || !whole) return made;
  Sha256 all;
  PLAIT_TRY(add_bytes(file, all, 0, size));
  made.whole = "sha256 " + Sha256::hex_of(all.digest());
  return made;
}

struct FoundFile {
  std::string name;  // below the folder
  bool is_file = false;
  uint64_t size_bytes = 0;
  std::string state;  // changes with every write to it, but not by reading
};

std::string state_of(const struct stat& info) {
  std::string text;
  for (const auto number :
       {static_cast<int64_t>(info.st_dev), static_cast<int64_t>(info.st_ino),
        static_cast<int64_t>(info.st_size), static_cast<int64_t>(info.st_mtim.tv_sec),
        static_cast<int64_t>(info.st_mtim.tv_nsec), static_cast<int64_t>(info.st_ctim.tv_sec),
        static_cast<int64_t>(info.st_ctim.tv_nsec)})
    text += std::to_string(number) + " ";
  return text;
}

using FolderId = std::pair<dev_t, ino_t>;

// Depth first in order of names, so that where it stops is the same everywhere. `around`: the folders that
// this one lies in, as links lead: none of them is entered again.
Status walk(const fs::path& folder, const std::string& below, uint64_t most, std::vector<FolderId>& around,
            std::vector<FoundFile>& found) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    names.push_back(entry->path().filename().string());
  if (error) return unreadable(folder.string(), error.value());
  std::ranges::sort(names);
  for (const std::string& name : names) {
    if (found.size() >= most) return {};
    struct stat target {};
    const bool is_there = ::stat((folder / name).c_str(), &target) == 0;  // a link may lead nowhere
    const FolderId id(target.st_dev, target.st_ino);
    if (is_there && S_ISDIR(target.st_mode) && std::ranges::find(around, id) == around.end()) {
      around.push_back(id);
      PLAIT_TRY(walk(folder / name, below + name + "/", most, around, found));
      around.pop_back();
      continue;
    }
    const bool is_file = is_there && S_ISREG(target.st_mode);
    found.push_back({below + name, is_file, is_file ? static_cast<uint64_t>(target.st_size) : 0,
                     is_file ? state_of(target) : ""});
  }
  return {};
}

// One digest over all names, sizes and contents. `sampled`: the ends of some files only.
Result<std::string> digest_files(const std::string& folder, const std::vector<FoundFile>& files, bool sampled,
                                 const DigestLimits& limits) {
  Sha256 digest;
  const uint64_t budget = std::max<uint64_t>(1, limits.blocks * 16);
  const size_t every = sampled ? std::max<size_t>(1, (files.size() + budget - 1) / budget) : 1;
  for (size_t i = 0; i < files.size(); ++i) {
    const FoundFile& one = files[i];
    digest.update(one.name + '\0' + std::to_string(one.size_bytes) + '\0');
    if (!one.is_file || i % every != 0) continue;
    PLAIT_ASSIGN(const RegularFile file, RegularFile::open(folder + "/" + one.name));
    if (sampled) {
      PLAIT_TRY(add_blocks(file, digest, 2, std::max<uint64_t>(1, limits.block_bytes / 32)));
    } else {
      PLAIT_TRY(add_bytes(file, digest, 0, file.size_bytes()));
    }
  }
  return Sha256::hex_of(digest.digest());
}

Result<PathDigest> digest_found(const std::string& path, const std::vector<FoundFile>& files, bool whole,
                                const DigestLimits& limits) {
  uint64_t bytes = 0;
  for (const FoundFile& file : files) bytes += file.size_bytes;
  const bool sampled = bytes > limits.whole_bytes;
  PLAIT_ASSIGN(const std::string digest, digest_files(path, files, sampled, limits));
  PathDigest made;
  made.text = (files.size() >= limits.folder_files ? "the first " : "") + std::to_string(files.size()) +
              " files, " + bytes_text(bytes) + ", sha256 " + digest + (sampled ? " of samples" : "");
  if (!sampled || !whole) return made;
  PLAIT_ASSIGN(const std::string all, digest_files(path, files, false, limits));
  made.whole = "sha256 " + all;
  return made;
}

Result<std::vector<FoundFile>> files_below(const std::string& path, const DigestLimits& limits) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return unreadable(path, errno);
  std::vector<FolderId> around = {{info.st_dev, info.st_ino}};
  std::vector<FoundFile> files;
  PLAIT_TRY(walk(path, "", limits.folder_files, around, files));
  return files;
}

Result<PathDigest> digest_folder(const std::string& path, bool whole, const DigestLimits& limits) {
  PLAIT_ASSIGN(const std::vector<FoundFile> files, files_below(path, limits));
  return digest_found(path, files, whole, limits);
}

// A source may open another file than the one that is written: with an ending (x.gz for x), without it, or
// several that begin so.
std::string folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path().string() : ".";
}

std::vector<FoundFile> namesakes(const fs::path& path, const DigestLimits& limits) {
  const std::string wanted = path.filename().string(), folder = folder_of(path);
  if (wanted.empty()) return {};
  std::error_code error;
  std::vector<FoundFile> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(wanted) && !wanted.starts_with(name + ".")) continue;
    struct stat info;
    if (::stat(entry->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    found.push_back({name, true, static_cast<uint64_t>(info.st_size), state_of(info)});
    if (found.size() >= limits.folder_files) break;
  }
  std::ranges::sort(found, {}, &FoundFile::name);
  return found;
}

Result<PathDigest> digest_namesakes(const fs::path& path, bool whole, const DigestLimits& limits) {
  const std::vector<FoundFile> found = namesakes(path, limits);
  PathDigest none;
  none.text = "not there";
  none.is_known = false;
  if (found.empty()) return none;
  if (found.size() == 1) return digest_file(folder_of(path) + "/" + found.front().name, whole, limits);
  return digest_found(folder_of(path), found, whole, limits);
}

}  // namespace

Result<PathDigest> digest_path(const std::string& path, bool whole, const DigestLimits& limits) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return digest_namesakes(path, whole, limits);
    return unreadable(path, errno);
  }
  if (S_ISDIR(info.st_mode)) return digest_folder(path, whole, limits);
  if (!S_ISREG(info.st_mode)) return PathDigest{"not a file", "", false};
  return digest_file(path, whole, limits);
}

Result<std::vector<PathDigest>> digest_paths(const std::vector<std::string>& paths, bool whole, int threads) {
  std::map<std::string, std::optional<Result<PathDigest>>> made;
  for (const std::string& path : paths) made[path];
  std::vector<decltype(made)::value_type*> waiting;
  for (auto& one : made) waiting.push_back(&one);
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < waiting.size();)
      waiting[i]->second = digest_path(waiting[i]->first, whole);
  };
  std::vector<std::jthread> helpers;
  const size_t most = std::min(waiting.size(), static_cast<size_t>(std::max(1, threads)));
  for (size_t i = 1; i < most; ++i) helpers.emplace_back(work);
  work();
  helpers.clear();
  std::vector<PathDigest> digests;
  for (const std::string& path : paths) {
    PLAIT_ASSIGN(PathDigest digest, *made[path]);
    digests.push_back(std::move(digest));
  }
  return digests;
}

std::string path_state(const std::string& path, const DigestLimits& limits) {
  struct stat info;
  const bool is_there = ::stat(path.c_str(), &info) == 0;
  if (is_there && !S_ISDIR(info.st_mode)) return state_of(info);
  const auto files = is_there ? files_below(path, limits) : Result(namesakes(path, limits));
  if (!files) return files.status().message();
  Sha256 all;
  for (const FoundFile& file : *files) all.update(file.name + '\0' + file.state + '\0');
  return Sha256::hex_of(all.digest());
}

}  // namespace plait::inline train
