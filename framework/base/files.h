// The file system as a value that can be given: checkpoints and reports take a Files, so that tests can make
// the k-th write fail and look at what is left.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/regular_file.h"
#include "base/status.h"

namespace plait::inline base {

// A lock that is held until it is destroyed, or its process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Paths are as the system takes them. Content is bytes.
// Fails with: kNotFound when a path to read, list or remove is not there; kIo when the system refuses, with
// its words. Threads: [any]
class Files {
 public:
  virtual ~Files() = default;
  // A regular file, to its end. Fails with: kInvalid when it is none, or larger than `most_bytes`.
  virtual Result<std::string> read(const std::string& path, uint64_t most_bytes) = 0;
  Result<std::string> read(const std::string& path) { return read(path, kMostFile_bytes); }
  // After success the whole content is at `path` and survives a loss of power; after failure, or a crash at
  // any point, `path` is what it was before. The recipe: temporary file beside it, fsync, rename, fsync of
  // the folder. Temporary files of processes that died are removed on the way. Fails with: kInvalid when
  // `path` is a device, a pipe or a socket.
  virtual Status write_atomically(const std::string& path, std::string_view content) = 0;
  // The same for content that nobody holds as a whole: `content` gives it piece by piece, and what it returns
  // is returned when it fails.
  using Writer = std::function<Status(std::string_view piece)>;
  using Content = std::function<Status(const Writer& write)>;
  virtual Status write_pieces_atomically(const std::string& path, const Content& content);
  // Adds to the end, making the file when needed. A crash may leave a part of `content` at the end.
  virtual Status append(const std::string& path, std::string_view content) = 0;
  // Names (not paths) in a folder, sorted. Files that a crashed write_atomically left behind are not listed.
  virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;
  virtual Status make_directories(const std::string& folder) = 0;
  virtual bool exists(const std::string& path) = 0;
  virtual Status remove(const std::string& path) = 0;
  // Makes the file when needed and locks it against every other holder, on network file systems too; its
  // content becomes `holder`, which those who are refused are told. Returns at once.
  // Fails with: kPeer with the holder's text, control characters filtered, as message; kUnsupported where the
  // file system has no locks; kIo, kNotFound when the file cannot be opened.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path, const std::string& holder) = 0;
};

// The real one.
class SystemFiles final : public Files {
 public:
  using Files::read;
  Result<std::string> read(const std::string& path, uint64_t most_bytes) override;
  Status write_atomically(const std::string& path, std::string_view content) override;
  Status write_pieces_atomically(const std::string& path, const Content& content) override;
  Status append(const std::string& path, std::string_view content) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Status make_directories(const std::string& folder) override;
  bool exists(const std::string& path) override;
  Status remove(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, const std::string& holder) override;
};

// In memory, with failures on request. Folders have to be made first, as on a disk. Outlives its locks.
class MemoryFiles final : public Files {
 public:
  // The k-th change from now on (1 = the next write_atomically, append, make_directories or remove) fails
  // with kIo; an append leaves half of its content. 0: none fails.
  void fail_change(uint64_t k);
  // Changes asked for since fail_change or the start, failed ones included.
  uint64_t changes();

  using Files::read;
  Result<std::string> read(const std::string& path, uint64_t most_bytes) override;
  Status write_atomically(const std::string& path, std::string_view content) override;
  Status append(const std::string& path, std::string_view content) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Status make_directories(const std::string& folder) override;
  bool exists(const std::string& path) override;
  Status remove(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, const std::string& holder) override;

 private:
  class Lock;
  Status change(const std::string& path);

  std::mutex mutex_;
  std::map<std::string, std::string> files_;
  std::set<std::string> folders_ = {"", ".", "/"};
  std::map<std::string, std::string> locks_;  // holder by path
  uint64_t fail_at_ = 0;
  uint64_t changes_ = 0;
};

}  // namespace plait::inline base
