#include "mapreduce/spill_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/temporary_name.h"

namespace plait::inline mapreduce {
namespace {

std::string default_folder() {
  const char* const chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/var/tmp";
}

}  // namespace

SpillFile::SpillFile() : SpillFile(default_folder()) {}

Status SpillFile::refusal(const char* what) const {
  const std::string words = std::strerror(errno);
  return {Code::kIo, "what exceeds a stage's memory is kept in a file in " + folder_ + ": " + what +
                         " failed: " + words + "; another folder is taken from TMPDIR"};
}

Status SpillFile::open() {
  if (file_.is_open()) return {};
  const std::string path = temporary_name(folder_ + "/plait-spill");
  file_ = Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file_.is_open()) return refusal("open");
  if (::unlink(path.c_str()) != 0) return refusal("unlink");
  return {};
}

Result<SpillSegment> SpillFile::append(std::span<const std::byte> bytes) {
  SpillSegment segment{0, bytes.size()};
  {
    std::lock_guard lock(mutex_);
    PLAIT_TRY(open());
    segment.offset = end_;
    end_ += bytes.size();
  }
  PLAIT_TRY(write(segment.offset, bytes));
  return segment;
}

Status SpillFile::write(uint64_t offset, std::span<const std::byte> bytes) {
  {
    std::lock_guard lock(mutex_);
    PLAIT_TRY(open());
  }
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t wrote =
        ::pwrite(file_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return refusal("write");
    done += static_cast<size_t>(wrote);
  }
  return {};
}

SpillMap& SpillMap::operator=(SpillMap&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

SpillMap::~SpillMap() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

Result<SpillMap> SpillFile::map(uint64_t bytes) const {
  if (bytes == 0) return SpillMap();
  void* const data =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file_.get(), 0);
  if (data == MAP_FAILED) return refusal("mmap");
  return SpillMap(data, bytes);
}

Status SpillFile::read(uint64_t offset, std::span<std::byte> into) const {
  for (size_t done = 0; done < into.size();) {
    const ssize_t got =
        ::pread(file_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return refusal("read");
    done += static_cast<size_t>(got);
  }
  return {};
}

uint64_t SpillFile::bytes() const {
  std::lock_guard lock(mutex_);
  return end_;
}

}  // namespace plait::inline mapreduce
