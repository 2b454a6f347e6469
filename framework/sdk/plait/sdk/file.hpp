// Files for sources: a regular file opened to be read. Not part of <plait/sdk.hpp>, since it brings the
// system's names with it: #include <plait/sdk/file.hpp> where it is used.
//
//   const File file(path);                       // NotFound, IoError
//   const std::string head = file.read(0, 16);   // fewer bytes only where the file ends
//   const std::string all = file.read_all(1 << 20);
//
// Pipes, devices, sockets and folders are refused before they are opened: they may wait for ever, or never
// end. Nothing is read past the size that the system announces.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "error.hpp"

namespace plait::sdk {

// Threads: [any]; read does not move a common place.
class File {
 public:
  // Fails with: NotFound; IoError when the system refuses or it is no regular file. Both name it.
  explicit File(const std::string& path) : path_(path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) refuse(" cannot be opened: ");
    check_kind(info);
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd_ < 0) refuse(" cannot be opened: ");
    try {
      check_opened();
    } catch (...) {
      ::close(fd_);
      throw;
    }
  }
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(File&& other) noexcept
      : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_bytes_(other.size_bytes_) {}
  File& operator=(File&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(fd_, other.fd_);
    std::swap(size_bytes_, other.size_bytes_);
    return *this;
  }

  const std::string& path() const { return path_; }
  uint64_t size_bytes() const { return size_bytes_; }

  // Bytes from `offset` on, put at `into`; how many: fewer than `most` only where the file ends.
  // Fails with: IoError.
  size_t read_at(uint64_t offset, void* into, size_t most) const {
    if (offset >= size_bytes_) return 0;
    most = static_cast<size_t>(std::min<uint64_t>(most, size_bytes_ - offset));
    size_t done = 0;
    while (done < most) {
      const size_t piece = std::min(most - done, size_t{1} << 30);
      const ssize_t got =
          ::pread(fd_, static_cast<char*>(into) + done, piece, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) refuse(" cannot be read: ");
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }
  std::string read(uint64_t offset, size_t most) const {
    std::string bytes(offset < size_bytes_ ? std::min<uint64_t>(most, size_bytes_ - offset) : 0, '\0');
    bytes.resize(read_at(offset, bytes.data(), bytes.size()));
    return bytes;
  }
  // Fails with: IoError, also when the file is larger than `most_bytes`.
  std::string read_all(uint64_t most_bytes) const {
    if (size_bytes_ > most_bytes)
      throw IoError(path_, " has ", size_bytes_, " bytes, wanted at most ", most_bytes);
    return read(0, static_cast<size_t>(size_bytes_));
  }

 private:
  [[noreturn]] void refuse(const char* what) const {
    if (errno == ENOENT || errno == ENOTDIR) throw NotFound(path_, what, std::strerror(errno));
    throw IoError(path_, what, std::strerror(errno));
  }
  void check_kind(const struct stat& info) const {
    const char* kind = S_ISDIR(info.st_mode)    ? "a folder"
                       : S_ISFIFO(info.st_mode) ? "a pipe"
                       : S_ISSOCK(info.st_mode) ? "a socket"
                                                : "a device";
    if (!S_ISREG(info.st_mode)) throw IoError(path_, " is ", kind, ", wanted a regular file");
  }
  // The name may mean another file by now. Those that the kernel makes up (/proc) announce nothing and give
  // something.
  void check_opened() {
    struct stat info {};
    char byte = 0;
    if (::fstat(fd_, &info) != 0) refuse(" cannot be opened: ");
    check_kind(info);
    size_bytes_ = static_cast<uint64_t>(info.st_size);
    if (size_bytes_ == 0 && ::pread(fd_, &byte, 1, 0) != 0)
      throw IoError(path_, " gives more than the 0 bytes that it announces, wanted a file that is stored");
  }

  std::string path_;
  int fd_ = -1;
  uint64_t size_bytes_ = 0;
};

}  // namespace plait::sdk
