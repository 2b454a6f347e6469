#include "base/machine_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

namespace plait::inline base {
namespace {

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

// The kernel's file has a number, or "max".
uint64_t limit_in(const char* path) {
  uint64_t bytes = 0;
  return std::ifstream(path) >> bytes ? bytes : kMost;
}

uint64_t find_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  const uint64_t physical =
      pages > 0 && page > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page) : kMost;
  return std::min({physical, limit_in("/sys/fs/cgroup/memory.max"),
                   limit_in("/sys/fs/cgroup/memory/memory.limit_in_bytes")});
}

}  // namespace

uint64_t machine_memory() {
  static const uint64_t bytes = find_memory();  // asked for each file that is read
  return bytes;
}

}  // namespace plait::inline base
