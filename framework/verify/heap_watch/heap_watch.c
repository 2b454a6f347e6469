/* Stands before the C library's heap (LD_PRELOAD) and counts; see heap_watch.h. */
#define _GNU_SOURCE /* _dl_find_object, dladdr, RTLD_NEXT */
#include "verify/heap_watch/heap_watch.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

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
PER_THREAD int separates;
PER_THREAD uint64_t asked_by_libraries;
PER_THREAD const void* caller_of_new; /* who called operator new, while it asks */
static atomic_llong live;

/* The file that the code at `place` is from; NULL or "" for the program's own. dladdr looks at every symbol
 * of the file, which took nine tenths of a law's time where a library asks often; glibc 2.35 finds the file
 * alone. */
static const char* file_of(const void* place) {
#ifdef DLFO_STRUCT_HAS_EH_DBASE
  struct dl_find_object found;
  return _dl_find_object((void*)place, &found) == 0 ? found.dlfo_link_map->l_name : NULL;
#else
  Dl_info info;
  return dladdr(place, &info) ? info.dli_fname : NULL;
#endif
}

/* Whether the code at `place` is in a shared library that is no plugin and none of the languages' own. */
static int in_library(const void* place) {
  static const char* const kLanguages[] = {"libc.so", "libm.so",  "libstdc++",
                                           "libc++",  "libgcc_s", "ld-linux"};
  const char* const file = file_of(place);
  if (!file) return 0;
  const char* const slash = strrchr(file, '/');
  const char* const name = slash ? slash + 1 : file;
  for (size_t i = 0; i < sizeof kLanguages / sizeof *kLanguages; ++i) {
    if (strncmp(name, kLanguages[i], strlen(kLanguages[i])) == 0) return 0;
  }
  const char* const suffix = strstr(name, ".so");
  const char* const plugin = strstr(name, ".plait.so");
  return suffix != NULL && plugin == NULL;
}

static int refuses(const void* caller) {
  if (separates && in_library(caller_of_new ? caller_of_new : caller)) return ++asked_by_libraries, 0;
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

EXPORT void* malloc(size_t size) {
  return refuses(__builtin_return_address(0)) ? NULL : counted(__libc_malloc(size));
}
EXPORT void* calloc(size_t count, size_t size) {
  return refuses(__builtin_return_address(0)) ? NULL : counted(__libc_calloc(count, size));
}
EXPORT void* memalign(size_t alignment, size_t size) {
  return refuses(__builtin_return_address(0)) ? NULL : counted(__libc_memalign(alignment, size));
}
EXPORT void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
EXPORT int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block ? 0 : ENOMEM;
}

/* operator new, in its forms: the C++ library's, which asks malloc, with its caller told. It may throw: see
 * CMakeLists.txt. */
typedef void* (*New)(size_t size);
typedef void* (*AlignedNew)(size_t size, size_t alignment);

static void* next_of(_Atomic(void*)* known, const char* name) {
  void* next = atomic_load(known);
  if (!next) atomic_store(known, next = dlsym(RTLD_NEXT, name));
  return next;
}

/* Of several forms that call one another the first has the caller. */
static const void* begin_new(const void* caller) {
  const void* const outer = caller_of_new;
  if (!outer) caller_of_new = caller;
  return outer;
}
static void end_new(const void** outer) { caller_of_new = *outer; }
#define TELL_CALLER                                                                             \
  __attribute__((cleanup(end_new))) const void* outer = begin_new(__builtin_return_address(0)); \
  (void)outer

EXPORT void* _Znwm(size_t size) {
  static _Atomic(void*) next;
  TELL_CALLER;
  return (__extension__(New) next_of(&next, "_Znwm"))(size);
}
EXPORT void* _Znam(size_t size) {
  static _Atomic(void*) next;
  TELL_CALLER;
  return (__extension__(New) next_of(&next, "_Znam"))(size);
}
EXPORT void* _ZnwmSt11align_val_t(size_t size, size_t alignment) {
  static _Atomic(void*) next;
  TELL_CALLER;
  return (__extension__(AlignedNew) next_of(&next, "_ZnwmSt11align_val_t"))(size, alignment);
}
EXPORT void* _ZnamSt11align_val_t(size_t size, size_t alignment) {
  static _Atomic(void*) next;
  TELL_CALLER;
  return (__extension__(AlignedNew) next_of(&next, "_ZnamSt11align_val_t"))(size, alignment);
}

EXPORT void free(void* block) {
  if (block) atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
  __libc_free(block);
}

EXPORT void* realloc(void* block, size_t size) {
  if (!block) return malloc(size);
  if (size == 0) return free(block), NULL;
  return refuses(__builtin_return_address(0)) ? NULL : __libc_realloc(block, size);
}

static uint64_t allocations(void) { return asked; }
static int64_t live_blocks(void) { return atomic_load(&live); }
static void refuse(uint64_t k) { refuse_at = k, has_refused = 0; }
static void stop(void) { refuse_at = 0; }
static int refused(void) { return has_refused; }
static void separate(int on) { separates = on; }
static uint64_t of_libraries(void) { return asked_by_libraries; }

EXPORT const plait_heap_watch_table plait_heap_watch = {allocations, live_blocks, refuse,      stop,
                                                        refused,     separate,    of_libraries};
