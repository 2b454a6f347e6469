#include "base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/temporary_name.h"

namespace plait::inline base {
namespace {

std::string folder_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_all(int fd, const std::string& path, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_refusal(path, "write");
    content.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

// Only what was written before may be written over or added to: a device would take everything in, a pipe
// wait for a reader.
Status check_target(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)) return {};
  return {Code::kInvalid, path + ": is a device, a pipe or a socket, wanted a regular file or a new name"};
}

// A failed fsync is final: the kernel may have dropped the dirty pages, so trying again would lie.
Status write_durably(const std::string& temporary, const std::string& path, const Files::Content& content,
                     long& now_s) {
  Descriptor file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0666));
  if (!file.is_open()) return system_refusal(path, "open for writing");
  PLAIT_TRY(content([&](std::string_view piece) { return write_all(file.get(), path, piece); }));
  if (::fsync(file.get()) != 0) return system_refusal(path, "fsync");
  struct stat info {};
  now_s = ::fstat(file.get(), &info) == 0 ? info.st_mtim.tv_sec : 0;
  return file.close() ? Status() : system_refusal(path, "close");
}

Status sync_folder(const std::string& folder) {
  Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle.is_open()) return system_refusal(folder, "open");
  return ::fsync(handle.get()) == 0 ? Status() : system_refusal(folder, "fsync");
}

bool is_folder(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

Result<std::string> SystemFiles::read(const std::string& path, uint64_t most_bytes) {
  PLAIT_ASSIGN(const RegularFile file, RegularFile::open(path));
  return file.read_all(most_bytes);
}

Status Files::write_pieces_atomically(const std::string& path, const Content& content) {
  std::string whole;
  PLAIT_TRY(content([&](std::string_view piece) {
    whole += piece;
    return Status();
  }));
  return write_atomically(path, whole);
}

Status SystemFiles::write_atomically(const std::string& path, std::string_view content) {
  return write_pieces_atomically(path, [&](const Writer& write) { return write(content); });
}

Status SystemFiles::write_pieces_atomically(const std::string& path, const Content& content) {
  PLAIT_TRY(check_target(path));
  const std::string temporary = temporary_name(path);
  long now_s = 0;
  Status status = write_durably(temporary, path, content, now_s);
  if (status && ::rename(temporary.c_str(), path.c_str()) != 0) status = system_refusal(path, "rename");
  if (!status) {
    ::unlink(temporary.c_str());
    return status;
  }
  remove_stale_temporaries(folder_of(path), now_s);
  return sync_folder(folder_of(path));
}

Status SystemFiles::append(const std::string& path, std::string_view content) {
  PLAIT_TRY(check_target(path));
  Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666));
  if (!file.is_open()) return system_refusal(path, "open for appending");
  PLAIT_TRY(write_all(file.get(), path, content));
  return file.close() ? Status() : system_refusal(path, "close");
}

Result<std::vector<std::string>> SystemFiles::list(const std::string& folder) {
  DIR* handle = ::opendir(folder.c_str());
  if (handle == nullptr) return system_refusal(folder, "opendir");
  std::vector<std::string> names;
  int error = 0;
  for (;;) {
    errno = 0;  // alone tells the end from a failure
    const dirent* entry = ::readdir(handle);
    error = errno;
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != ".." && name.find(kTemporaryMark) == std::string::npos) names.push_back(name);
  }
  ::closedir(handle);
  if (error != 0) return errno = error, system_refusal(folder, "readdir");
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
    if (::mkdir(part.c_str(), 0777) != 0) {
      const int error = errno;  // of mkdir: looking whether somebody else was faster may set another
      if (!is_folder(part)) return errno = error, system_refusal(part, "mkdir");
    }
    if (end == std::string::npos) return {};
  }
}

bool SystemFiles::exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Status SystemFiles::remove(const std::string& path) {
  return ::unlink(path.c_str()) == 0 ? Status() : system_refusal(path, "unlink");
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

Result<std::string> MemoryFiles::read(const std::string& path, uint64_t most_bytes) {
  std::lock_guard lock(mutex_);
  const auto found = files_.find(path);
  if (found == files_.end()) return Status(Code::kNotFound, path + ": no such file");
  if (found->second.size() > most_bytes) return Status(Code::kInvalid, path + ": is too large");
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

}  // namespace plait::inline base
