#include "verify/engine/guarded.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>

namespace plait::inline verify {
namespace {
constexpr uint64_t kGuardAlignment = 64;
}

void Guarded::Free::operator()(uint8_t* memory) const {
  if (mapped != nullptr)
    ::munmap(mapped, mapped_bytes);
  else
    ::operator delete (memory, std::align_val_t{kGuardAlignment});
}

Guarded::Guarded(uint64_t bytes, Poison poison, Fence fence) : bytes_(bytes), poison_(poison) {
  if (fence != Fence::kNone) memory_ = between_fences(fence);
  if (memory_ == nullptr)
    memory_.reset(static_cast<uint8_t*>(::operator new (whole_bytes(), std::align_val_t{kGuardAlignment})));
  this->poison(poison);
}

// Null when the system has no more maps.
std::unique_ptr<uint8_t, Guarded::Free> Guarded::between_fences(Fence fence) {
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t rest = (kGuardAlignment - bytes_ % kGuardAlignment) % kGuardAlignment;
  const uint64_t inside = (bytes_ + rest + page - 1) / page * page, all = inside + 2 * page;
  void* mapped = ::mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* memory = static_cast<uint8_t*>(mapped) + page;
  if (::mprotect(memory, inside, PROT_READ | PROT_WRITE) != 0) {
    ::munmap(mapped, all);
    return nullptr;
  }
  behind_ = fence == Fence::kBehind ? rest : inside - bytes_;
  before_ = inside - bytes_ - behind_;
  return {memory, Free(mapped, all)};
}

void Guarded::poison(Poison poison, bool guards) {
  const uint64_t begin = guards ? 0 : before_, end = before_ + bytes_ + (guards ? behind_ : 0);
  if (guards) poison_ = poison;
  // Most of what some laws do: by words, but for the ends.
  const uint64_t first = std::min((begin + 3) / 4 * 4, end), last = std::max(end / 4 * 4, first);
  for (uint64_t i = begin; i < first; ++i) memory_.get()[i] = pattern(poison, i);
  auto* const words = reinterpret_cast<uint32_t*>(memory_.get());
  std::fill(words + first / 4, words + last / 4, static_cast<uint32_t>(poison));
  for (uint64_t i = last; i < end; ++i) memory_.get()[i] = pattern(poison, i);
}

std::string Guarded::overrun() const {
  uint64_t before = 0, behind = 0, first_behind = 0, nearest_before = 0;
  for (uint64_t i = 0; i < before_; ++i)
    if (memory_.get()[i] != pattern(poison_, i)) ++before, nearest_before = before_ - i;
  for (uint64_t i = 0; i < behind_; ++i) {
    const uint64_t place = before_ + bytes_ + i;
    if (memory_.get()[place] != pattern(poison_, place) && behind++ == 0) first_behind = i;
  }
  std::string text;
  if (behind > 0)
    text = fmt::format("{} bytes past its end were written (the first at +{})", behind, first_behind);
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
    std::memcpy(&word, begin() + 4 * i, 4);
    if (word != static_cast<uint32_t>(poison_)) continue;
    if (found++ == 0) *first = i;
  }
  return found;
}

}  // namespace plait::inline verify
