// Memory that is seen at two addresses: one that is handed out, where reading or writing is a fault, and one
// that only the device knows.
//
// Threads: [any]
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <shared_mutex>

namespace plait::test_device {

class HiddenMemory {
 public:
  HiddenMemory() = default;
  ~HiddenMemory();
  HiddenMemory(const HiddenMemory&) = delete;
  HiddenMemory& operator=(const HiddenMemory&) = delete;

  // The address to hand out; aligned to a page. Fails with: std::bad_alloc.
  void* allocate(uint64_t bytes);
  void release(void* shown);
  // The other address of the byte at `shown`; null for null and for what was not allocated here.
  void* real(const void* shown) const;

 private:
  struct Block {
    char* real;
    size_t bytes;
  };
  mutable std::shared_mutex mutex_;
  std::map<const char*, Block> blocks_;  // by the address handed out
};

}  // namespace plait::test_device
