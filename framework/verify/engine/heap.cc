#include "verify/engine/heap.h"

#include "base/library.h"
#include "verify/engine/restart.h"

namespace plait::inline verify {
namespace {

const plait_heap_watch_table* find_table() {
  for (const std::string& path : preloaded_at_restart()) {
    const auto library = Library::open(path);  // there already
    void* table = library ? library->symbol(PLAIT_HEAP_WATCH_SYMBOL) : nullptr;
    if (table != nullptr) return static_cast<const plait_heap_watch_table*>(table);
  }
  return nullptr;
}

}  // namespace

const plait_heap_watch_table* heap_watch() {
  static const plait_heap_watch_table* const table = find_table();
  return table;
}

}  // namespace plait::inline verify
