#include "base/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "base/machine_memory.h"

namespace plait::inline base {
namespace {

constexpr size_t kMostAtOnce_bytes = size_t{1} << 30;

// What `mode` is in words, nullptr for a regular file.
const char* other_kind(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return S_ISREG(mode) ? nullptr : "a device";
}

Status check_kind(const std::string& path, mode_t mode) {
  const char* kind = other_kind(mode);
  return kind ? Status(Code::kInvalid, path + ": is " + kind + ", wanted a regular file") : Status();
}

Status too_large(const std::string& path, uint64_t size, uint64_t most, const char* why) {
  return {Code::kInvalid,
          path + ": has " + std::to_string(size) + " bytes, wanted at most " + std::to_string(most) + why};
}

// Bytes read, 0 at the end, -1 with errno.
ssize_t read_some(int file, void* into, size_t bytes, uint64_t offset) {
  for (;;) {
    const ssize_t got = ::pread(file, into, std::min(bytes, kMostAtOnce_bytes), static_cast<off_t>(offset));
    if (got >= 0 || errno != EINTR) return got;
  }
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

bool Descriptor::close() { return ::close(std::exchange(fd_, -1)) == 0; }

Status system_refusal(const std::string& path, const char* what) {
  const int error = errno;
  return {error == ENOENT ? Code::kNotFound : Code::kIo,
          path + ": " + what + " failed: " + std::strerror(error)};
}

Result<RegularFile> RegularFile::open(const std::string& path) {
  // Looked at before, since opening alone can move a tape or wake a device, and after, since the name may
  // mean something else by then.
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return system_refusal(path, "open");
  PLAIT_TRY(check_kind(path, info.st_mode));
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.is_open()) return system_refusal(path, "open");
  if (::fstat(file.get(), &info) != 0) return system_refusal(path, "fstat");
  PLAIT_TRY(check_kind(path, info.st_mode));
  return RegularFile(path, std::move(file), static_cast<uint64_t>(info.st_size));
}

Status RegularFile::read_at(uint64_t offset, void* into, size_t bytes) const {
  char* to = static_cast<char*>(into);
  for (size_t done = 0; done < bytes;) {
    const ssize_t got = read_some(file_.get(), to + done, bytes - done, offset + done);
    if (got < 0) return system_refusal(path_, "read");
    if (got == 0)
      return {Code::kIo, path_ + ": ends after " + std::to_string(offset + done) + " bytes, wanted " +
                             std::to_string(offset + bytes)};
    done += static_cast<size_t>(got);
  }
  return {};
}

// What is added while it is read makes the announced size larger too; what the kernel makes up does not.
Status RegularFile::check_end() const {
  char next = 0;
  struct stat info {};
  const ssize_t got = read_some(file_.get(), &next, 1, size_bytes_);
  if (got < 0) return system_refusal(path_, "read");
  if (got == 0) return {};
  if (::fstat(file_.get(), &info) == 0 && static_cast<uint64_t>(info.st_size) > size_bytes_) return {};
  return {Code::kInvalid, path_ + ": gives more than the " + std::to_string(size_bytes_) +
                              " bytes that it announces, wanted a file that is stored"};
}

Result<std::string> RegularFile::read_all(uint64_t most_bytes) const {
  if (size_bytes_ > most_bytes) return too_large(path_, size_bytes_, most_bytes, "");
  if (const uint64_t memory = machine_memory(); size_bytes_ > memory)
    return too_large(path_, size_bytes_, memory, ", the memory of this machine");
  std::string content;
  try {
    content.resize(size_bytes_);
  } catch (const std::bad_alloc&) {
    return {Code::kIo, path_ + ": there is no memory for its " + std::to_string(size_bytes_) + " bytes"};
  }
  PLAIT_TRY(read_at(0, content.data(), content.size()));
  PLAIT_TRY(check_end());
  return content;
}

}  // namespace plait::inline base
