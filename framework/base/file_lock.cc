// Locks of files: open file description locks, which travel over NFS like any fcntl lock, are not lost when
// the process closes the file elsewhere, and go with the process however it dies.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/files.h"
#include "base/shown.h"

namespace plait::inline base {
namespace {

constexpr size_t kMostHolder_bytes = 512;

class SystemLock final : public FileLock {
 public:
  explicit SystemLock(int fd) : fd_(fd) {}
  // The file stays: removing it would let two processes lock two files of one name.
  ~SystemLock() override {
    if (is_held_) [[maybe_unused]]
      const int emptied = ::ftruncate(fd_, 0);
    ::close(fd_);
  }
  SystemLock(const SystemLock&) = delete;
  SystemLock& operator=(const SystemLock&) = delete;
  void set_held() { is_held_ = true; }

 private:
  int fd_;
  bool is_held_ = false;
};

// Anyone may have written it.
std::string holder_in(int fd) {
  std::string text(kMostHolder_bytes, '\0');
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "a process that does not say which" : shown(text);
}

// Only for people: a full disk must not keep anyone from the lock.
void write_holder(int fd, const std::string& holder) {
  [[maybe_unused]] const int emptied = ::ftruncate(fd, 0);
  [[maybe_unused]] const ssize_t written = ::pwrite(fd, holder.data(), holder.size(), 0);
}

Status lock_refused(const std::string& path, const std::string& what, int error) {
  return {error == ENOENT ? Code::kNotFound : Code::kIo,
          path + ": " + what + " failed: " + std::strerror(error)};
}

Status lock_whole(int fd, const std::string& path) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(fd, F_OFD_SETLK, &whole) == 0) return {};
  const int error = errno;
  if (error == EAGAIN || error == EACCES) return {Code::kPeer, holder_in(fd)};
  const bool has_none = error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL;
  if (has_none)
    return {Code::kUnsupported, path + ": this file system has no locks: " + std::strerror(error)};
  return lock_refused(path, "lock", error);
}

}  // namespace

Result<std::unique_ptr<FileLock>> SystemFiles::lock(const std::string& path, const std::string& holder) {
  const int fd =
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0666);
  if (fd < 0) return lock_refused(path, "open for locking", errno);
  auto lock = std::make_unique<SystemLock>(fd);
  struct stat info;
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
    return Status(Code::kInvalid, path + ": is no regular file and cannot be locked");
  PLAIT_TRY(lock_whole(fd, path));
  lock->set_held();
  write_holder(fd, holder);
  return std::unique_ptr<FileLock>(std::move(lock));
}

class MemoryFiles::Lock final : public FileLock {
 public:
  Lock(MemoryFiles& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~Lock() override {
    const std::lock_guard guard(files_.mutex_);
    files_.locks_.erase(path_);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  MemoryFiles& files_;
  std::string path_;
};

Result<std::unique_ptr<FileLock>> MemoryFiles::lock(const std::string& path, const std::string& holder) {
  const std::lock_guard guard(mutex_);
  PLAIT_TRY(change(path));
  files_.try_emplace(path);
  if (!locks_.emplace(path, holder).second) return Status(Code::kPeer, locks_[path]);
  return std::unique_ptr<FileLock>(std::make_unique<Lock>(*this, path));
}

}  // namespace plait::inline base
