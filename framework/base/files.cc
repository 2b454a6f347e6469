#include "base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace plait {
namespace {

constexpr std::string_view kTemporaryMark = ".tmp.";

Status refused(const std::string& path, const char* what) {
  const int error = errno;
  return {error == ENOENT ? Code::kNotFound : Code::kIo,
          path + ": " + what + " failed: " + std::strerror(error)};
}

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  // A close may be the first to tell of a failed write (quota, network file systems).
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

std::string folder_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_all(int fd, const std::string& path, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return refused(path, "write");
    content.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

// A failed fsync is final: the kernel may have dropped the dirty pages, so trying again would lie.
Status write_durably(const std::string& path, std::string_view content) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file.is_open()) return refused(path, "open for writing");
  PLAIT_TRY(write_all(file.get(), path, content));
  if (::fsync(file.get()) != 0) return refused(path, "fsync");
  return file.close() ? Status() : refused(path, "close");
}

Status sync_folder(const std::string& folder) {
  Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle.is_open()) return refused(folder, "open");
  return ::fsync(handle.get()) == 0 ? Status() : refused(folder, "fsync");
}

bool is_folder(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

Result<std::string> SystemFiles::read(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return refused(path, "open");
  std::string content;
  std::string piece(size_t{1} << 16, '\0');
  for (;;) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused(path, "read");
    if (got == 0) return content;
    content.append(piece, 0, static_cast<size_t>(got));
  }
}

Status SystemFiles::write_atomically(const std::string& path, std::string_view content) {
  const std::string temporary = path + std::string(kTemporaryMark) + std::to_string(::getpid());
  Status status = write_durably(temporary, content);
  if (status && ::rename(temporary.c_str(), path.c_str()) != 0) status = refused(path, "rename");
  if (!status) {
    ::unlink(temporary.c_str());
    return status;
  }
  return sync_folder(folder_of(path));
}

Status SystemFiles::append(const std::string& path, std::string_view content) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file.is_open()) return refused(path, "open for appending");
  PLAIT_TRY(write_all(file.get(), path, content));
  return file.close() ? Status() : refused(path, "close");
}

Result<std::vector<std::string>> SystemFiles::list(const std::string& folder) {
  DIR* handle = ::opendir(folder.c_str());
  if (handle == nullptr) return refused(folder, "opendir");
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(handle)) {
    const std::string name = entry->d_name;
    if (name != "." && name != ".." && name.find(kTemporaryMark) == std::string::npos) names.push_back(name);
  }
  ::closedir(handle);
  std::sort(names.begin(), names.end());
  return names;
}

Status SystemFiles::make_directories(const std::string& folder) {
  for (size_t end = folder.find('/', 1);; end = folder.find('/', end + 1)) {
    const std::string part = folder.substr(0, end);
    if (is_folder(part)) {
      if (end == std::string::npos) return {};
      continue;
    }
    if (::mkdir(part.c_str(), 0777) != 0 && !is_folder(part)) return refused(part, "mkdir");
    if (end == std::string::npos) return {};
  }
}

bool SystemFiles::exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Status SystemFiles::remove(const std::string& path) {
  return ::unlink(path.c_str()) == 0 ? Status() : refused(path, "unlink");
}

void MemoryFiles::fail_change(uint64_t k) {
  std::lock_guard lock(mutex_);
  fail_at_ = k;
  changes_ = 0;
}

uint64_t MemoryFiles::changes() {
  std::lock_guard lock(mutex_);
  return changes_;
}

Status MemoryFiles::change(const std::string& path) {
  if (++changes_ == fail_at_) return {Code::kIo, path + ": write failed: told to fail"};
  if (folders_.count(folder_of(path)) == 0) return {Code::kNotFound, path + ": no such folder"};
  return {};
}

Result<std::string> MemoryFiles::read(const std::string& path) {
  std::lock_guard lock(mutex_);
  const auto found = files_.find(path);
  if (found == files_.end()) return Status(Code::kNotFound, path + ": no such file");
  return found->second;
}

Status MemoryFiles::write_atomically(const std::string& path, std::string_view content) {
  std::lock_guard lock(mutex_);
  PLAIT_TRY(change(path));
  files_[path] = content;
  return {};
}

Status MemoryFiles::append(const std::string& path, std::string_view content) {
  std::lock_guard lock(mutex_);
  const Status status = change(path);
  if (status) files_[path] += content;
  if (status.code() == Code::kIo) files_[path] += content.substr(0, content.size() / 2);
  return status;
}

Result<std::vector<std::string>> MemoryFiles::list(const std::string& folder) {
  std::lock_guard lock(mutex_);
  if (folders_.count(folder) == 0) return Status(Code::kNotFound, folder + ": no such folder");
  std::set<std::string> names;
  const auto collect = [&](const std::string& path) {
    if (path != folder && folder_of(path) == folder) names.insert(path.substr(path.find_last_of('/') + 1));
  };
  for (const auto& [path, content] : files_) collect(path);
  for (const std::string& path : folders_)
    if (path.size() > 1) collect(path);
  return std::vector<std::string>(names.begin(), names.end());
}

Status MemoryFiles::make_directories(const std::string& folder) {
  std::lock_guard lock(mutex_);
  if (++changes_ == fail_at_) return {Code::kIo, folder + ": mkdir failed: told to fail"};
  for (size_t end = folder.find('/', 1);; end = folder.find('/', end + 1)) {
    const std::string part = folder.substr(0, end);
    if (files_.count(part) != 0) return {Code::kIo, part + ": is a file, wanted a folder"};
    folders_.insert(part);
    if (end == std::string::npos) return {};
  }
}

bool MemoryFiles::exists(const std::string& path) {
  std::lock_guard lock(mutex_);
  return files_.count(path) != 0 || folders_.count(path) != 0;
}

Status MemoryFiles::remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  PLAIT_TRY(change(path));
  if (files_.erase(path) == 0) return {Code::kNotFound, path + ": no such file"};
  return {};
}

}  // namespace plait
