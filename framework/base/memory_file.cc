#include "base/memory_file.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace plait::inline base {
namespace {

constexpr size_t kMostAtOnce_bytes = size_t{1} << 30;

Status write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(file, bytes.data(), std::min(bytes.size(), kMostAtOnce_bytes));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return system_refusal("a file in memory", "write");
    bytes.remove_prefix(static_cast<size_t>(done));
  }
  return {};
}

}  // namespace

Result<MemoryFile> MemoryFile::create(std::string_view bytes) {
  Descriptor file(::memfd_create("plait", MFD_CLOEXEC));
  if (!file.is_open()) return system_refusal("a file in memory", "memfd_create");
  PLAIT_TRY(write_all(file.get(), bytes));
  std::string path = "/proc/self/fd/" + std::to_string(file.get());
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return system_refusal(path, "stat");
  return MemoryFile(std::move(file), std::move(path));
}

}  // namespace plait::inline base
