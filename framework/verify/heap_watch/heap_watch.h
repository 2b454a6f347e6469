/* What the preloaded library that comes before malloc tells: who allocates, what stays, and refusals on
 * request. C11. Threads: [any] */
#pragma once
#include <stdint.h>

#define PLAIT_HEAP_WATCH_SYMBOL "plait_heap_watch"

typedef struct plait_heap_watch_table {
  /* Blocks that the calling thread has asked for since it began; while it separates, without those of libraries. */
  uint64_t (*allocations)(void);
  /* Blocks of the process that are not freed. */
  int64_t (*live_blocks)(void);
  /* The calling thread's k-th request from now is refused (1: the next), unless stop comes before. */
  void (*refuse)(uint64_t k);
  void (*stop)(void);
  /* Whether the refusal asked for last has happened. */
  int (*refused)(void);
  /* Whether requests by other shared libraries than plugins and those of the languages are counted apart for this
   * thread, and never refused: what oneDNN does in a call is not its caller's doing. */
  void (*separate)(int on);
  uint64_t (*of_libraries)(void);
} plait_heap_watch_table;
