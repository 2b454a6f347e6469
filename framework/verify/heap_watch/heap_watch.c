/* Stands before the C library's heap (LD_PRELOAD) and counts; see heap_watch.h. */
#include "verify/heap_watch/heap_watch.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))
/* Static TLS: a lazily allocated one would ask for memory inside malloc. */
#define PER_THREAD static _Thread_local __attribute__((tls_model("initial-exec")))

/* The C library's own functions, below the names that this library takes. */
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* block);

PER_THREAD uint64_t asked;
PER_THREAD uint64_t refuse_at; /* 0: never */
PER_THREAD int has_refused;
static atomic_llong live;

static int refuses(void) {
  ++asked;
  if (refuse_at == 0 || --refuse_at > 0) return 0;
  has_refused = 1;
  errno = ENOMEM;
  return 1;
}

static void* counted(void* block) {
  if (block) atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
  return block;
}

EXPORT void* malloc(size_t size) { return refuses() ? NULL : counted(__libc_malloc(size)); }
EXPORT void* calloc(size_t count, size_t size) {
  return refuses() ? NULL : counted(__libc_calloc(count, size));
}
EXPORT void* memalign(size_t alignment, size_t size) {
  return refuses() ? NULL : counted(__libc_memalign(alignment, size));
}
EXPORT void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
EXPORT int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block ? 0 : ENOMEM;
}

EXPORT void free(void* block) {
  if (block) atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
  __libc_free(block);
}

EXPORT void* realloc(void* block, size_t size) {
  if (!block) return malloc(size);
  if (size == 0) return free(block), NULL;
  return refuses() ? NULL : __libc_realloc(block, size);
}

static uint64_t allocations(void) { return asked; }
static int64_t live_blocks(void) { return atomic_load(&live); }
static void refuse(uint64_t k) { refuse_at = k, has_refused = 0; }
static void stop(void) { refuse_at = 0; }
static int refused(void) { return has_refused; }

EXPORT const plait_heap_watch_table plait_heap_watch = {allocations, live_blocks, refuse, stop, refused};
