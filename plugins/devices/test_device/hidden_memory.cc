#include "hidden_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <mutex>
#include <new>

namespace plait::test_device {
namespace {

// An open file without a name, of pages of memory.
class MemoryFile {
 public:
  explicit MemoryFile(size_t bytes) : file_(memfd_create("plait.test_device", MFD_CLOEXEC)) {
    if (file_ < 0 || ftruncate(file_, static_cast<off_t>(bytes)) != 0) {
      if (file_ >= 0) close(file_);
      throw std::bad_alloc();
    }
  }
  ~MemoryFile() { close(file_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  char* map(size_t bytes, int protection) const {
    void* const address = mmap(nullptr, bytes, protection, MAP_SHARED, file_, 0);
    return address == MAP_FAILED ? nullptr : static_cast<char*>(address);
  }

 private:
  int file_;
};

}  // namespace

HiddenMemory::~HiddenMemory() {
  while (!blocks_.empty()) release(const_cast<char*>(blocks_.begin()->first));
}

void* HiddenMemory::allocate(uint64_t bytes) {
  constexpr uint64_t kPage = 4096, kMost = uint64_t{1} << 46;
  if (bytes > kMost) throw std::bad_alloc();
  const size_t size = bytes > 0 ? (bytes + kPage - 1) / kPage * kPage : kPage;
  const MemoryFile file(size);
  char* const real = file.map(size, PROT_READ | PROT_WRITE);
  char* const shown = real ? file.map(size, PROT_NONE) : nullptr;
  if (!shown) {
    if (real) munmap(real, size);
    throw std::bad_alloc();
  }
  const std::unique_lock lock(mutex_);
  blocks_[shown] = {real, size};
  return shown;
}

void HiddenMemory::release(void* shown) {
  const std::unique_lock lock(mutex_);
  const auto found = blocks_.find(static_cast<const char*>(shown));
  if (found == blocks_.end()) return;
  munmap(found->second.real, found->second.bytes);
  munmap(shown, found->second.bytes);
  blocks_.erase(found);
}

void* HiddenMemory::real(const void* shown) const {
  const std::shared_lock lock(mutex_);
  const char* const address = static_cast<const char*>(shown);
  auto behind = blocks_.upper_bound(address);
  if (behind == blocks_.begin()) return nullptr;
  const auto& [begin, block] = *--behind;
  const size_t place = static_cast<size_t>(address - begin);
  return place < block.bytes ? block.real + place : nullptr;
}

}  // namespace plait::test_device
