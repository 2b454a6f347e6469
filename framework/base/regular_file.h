// A regular file opened to be read: the one way in which the host reads files that it was told of. Devices,
// pipes, sockets and folders are refused before they are opened: they may wait for ever, or never end.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/status.h"

namespace plait::inline base {

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }  // it is the caller's to close
  // A close may be the first to tell of a failed write (quota, network file systems).
  bool close();

 private:
  int fd_;
};

// Beyond any file that Plait reads at once; what the machine's memory cannot hold is refused before.
constexpr uint64_t kMostFile_bytes = uint64_t{1} << 40;

// "path: WHAT failed: the system's words" for the errno of the call before. kNotFound or kIo.
Status system_refusal(const std::string& path, const char* what);

// Threads: [any], each one object.
class RegularFile {
 public:
  // Fails with: kNotFound; kIo when the system refuses; kInvalid when it is no regular file.
  static Result<RegularFile> open(const std::string& path);

  uint64_t size_bytes() const { return size_bytes_; }  // as the system announced it at opening
  // All of `bytes`, from `offset` on. Fails with: kIo when the system refuses or the file ends before.
  Status read_at(uint64_t offset, void* into, size_t bytes) const;
  // The whole content. A file that others add to is given as it was when it was opened.
  // Fails with: kInvalid when it is larger than `most_bytes` or the machine's memory, or gives more than it
  // announced, as files that the kernel makes up do (/proc); kIo.
  Result<std::string> read_all(uint64_t most_bytes) const;

 private:
  RegularFile(std::string path, Descriptor file, uint64_t size_bytes)
      : path_(std::move(path)), file_(std::move(file)), size_bytes_(size_bytes) {}
  Status check_end() const;

  std::string path_;
  Descriptor file_;
  uint64_t size_bytes_;
};

// What a person names on the command line: a regular file, a pipe, or "-" for standard input, to its end.
// A pipe with a name that nobody writes to within 10 s is a failure; other pipes wait for their writer.
// Fails with: as RegularFile; kInvalid when there are more than `most_bytes`.
Result<std::string> read_file_or_pipe(const std::string& path, uint64_t most_bytes);
// Whether the above can read `path` but once.
bool is_stream(const std::string& path);

}  // namespace plait::inline base
