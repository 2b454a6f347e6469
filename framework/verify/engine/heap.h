// The heap as `plait verify` sees it: counted, and refusing on request, by a preloaded library.
#pragma once
#include <cstdint>
#include <string>

#include "base/status.h"
#include "verify/heap_watch/heap_watch.h"

namespace plait::inline verify {

// The heap watch's table where its library is among those that the program was started with (restart.h);
// else null: no library, or a sanitizer, which has a heap of its own.
const plait_heap_watch_table* heap_watch();

// While it lives, the calling thread's k-th allocation is refused; 0, or a heap that is not watched: none.
class Refusal {
 public:
  explicit Refusal(uint64_t k) : k_(heap_watch() != nullptr ? k : 0) {
    if (k_ > 0) heap_watch()->refuse(k_);
  }
  ~Refusal() {
    if (k_ > 0) heap_watch()->stop();
  }
  Refusal(const Refusal&) = delete;
  Refusal& operator=(const Refusal&) = delete;

 private:
  uint64_t k_;
};

}  // namespace plait::inline verify
