#include "graph/allocation_count.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__GLIBC__)
#define PLAIT_COUNTS_ALLOCATIONS 1

namespace {
std::atomic<uint64_t> count;
}

// The C library's own functions under their other names.
extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t number, size_t bytes);
void* __libc_realloc(void* memory, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

#pragma GCC visibility push(default)  // for the shared libraries too

void* malloc(size_t bytes) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(bytes);
}
void* calloc(size_t number, size_t bytes) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(number, bytes);
}
void* realloc(void* memory, size_t bytes) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, bytes);
}
void* memalign(size_t alignment, size_t bytes) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void** memory, size_t alignment, size_t bytes) {
  *memory = memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}
#pragma GCC visibility pop
}
#endif

namespace plait::inline graph {

uint64_t allocations() {
#ifdef PLAIT_COUNTS_ALLOCATIONS
  return count;
#else
  return 0;
#endif
}

#ifdef PLAIT_COUNTS_ALLOCATIONS
TEST_CASE("allocations are counted") {
  const uint64_t before = allocations();
  auto memory = std::make_unique<int>(3);
  CHECK(allocations() > before);
  CHECK(*memory == 3);
}
#endif

}  // namespace plait::inline graph
