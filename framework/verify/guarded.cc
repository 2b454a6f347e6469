#include "verify/guarded.h"

#include <fmt/format.h>

#include <new>

namespace plait {
namespace {
constexpr std::align_val_t kAligned{64};
}

void Guarded::Free::operator()(uint8_t* memory) const { ::operator delete(memory, kAligned); }

Guarded::Guarded(uint64_t bytes, Poison poison)
    : bytes_(bytes),
      poison_(poison),
      memory_(static_cast<uint8_t*>(::operator new(bytes + 2 * kGuard, kAligned))) {
  this->poison(poison);
}

void Guarded::poison(Poison poison, bool guards) {
  const uint64_t begin = guards ? 0 : kGuard, end = kGuard + bytes_ + (guards ? kGuard : 0);
  if (guards) poison_ = poison;
  for (uint64_t i = begin; i < end; ++i) memory_.get()[i] = pattern(poison, i);
}

std::string Guarded::overrun() const {
  uint64_t before = 0, behind = 0, first_behind = 0, nearest_before = 0;
  for (uint64_t i = 0; i < kGuard; ++i) {
    if (memory_.get()[i] != pattern(poison_, i)) ++before, nearest_before = kGuard - i;
    const uint64_t place = kGuard + bytes_ + i;
    if (memory_.get()[place] != pattern(poison_, place) && behind++ == 0) first_behind = i;
  }
  std::string text;
  if (behind > 0)
    text = fmt::format("{} bytes behind its end were written (the first at +{})", behind, first_behind);
  if (before > 0) {
    text += fmt::format("{}{} bytes before its begin were written (the last at -{})",
                        text.empty() ? "" : "; ", before, nearest_before);
  }
  return text;
}

uint64_t Guarded::untouched_f32(uint64_t* first) const {
  uint64_t found = 0;
  for (uint64_t i = 0; i < bytes_ / 4; ++i) {
    uint32_t word;
    std::memcpy(&word, memory_.get() + kGuard + 4 * i, 4);
    if (word != static_cast<uint32_t>(poison_)) continue;
    if (found++ == 0) *first = i;
  }
  return found;
}

}  // namespace plait
