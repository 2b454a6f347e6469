#include "storage.h"

#include <algorithm>

namespace plait_cuda {

Storage::~Storage() {
  while (!kept_.empty()) drop(kept_.begin()->first);
}

// create runs outside the lock: it is slow, and only its own stream waits for it. With the device several may
// make the same at once; then the first stays.
int Storage::get(plait_context* context, const char* key, int (*create)(plait_context* context, void** made),
                 void (*destroy)(void* made), void** kept) {
  const auto find = [&]() -> void* {
    const std::vector<Kept>& own = kept_[context->stream];
    const auto found = std::find_if(own.begin(), own.end(), [&](const Kept& one) { return one.key == key; });
    return found == own.end() ? nullptr : found->made;
  };
  {
    const std::lock_guard lock(mutex_);
    if ((*kept = find()) != nullptr) return PLAIT_OK;
  }
  Kept one{key, nullptr, destroy};
  if (create(context, &one.made) != PLAIT_OK) return PLAIT_FAILED;
  try {
    const std::lock_guard lock(mutex_);
    if ((*kept = find()) == nullptr) {
      *kept = one.made;
      kept_[context->stream].push_back(std::move(one));
      return PLAIT_OK;
    }
  } catch (...) {
    destroy(one.made);
    throw;
  }
  destroy(one.made);
  return PLAIT_OK;
}

void Storage::drop(void* stream) noexcept {
  std::vector<Kept> own;
  {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(stream);
    if (found == kept_.end()) return;
    own = std::move(found->second);
    kept_.erase(found);
  }
  while (!own.empty()) {
    own.back().destroy(own.back().made);
    own.pop_back();
  }
}

}  // namespace plait_cuda
