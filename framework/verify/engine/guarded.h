// Memory that a plugin is given, with a guard on both sides and a pattern where nothing was written yet.
#pragma once
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

namespace plait::inline verify {

// Two patterns: what differs between two runs that begin with one and with the other was read before it was
// written, or was never written. As f32: a NaN, and about 24.96.
enum class Poison : uint32_t { kNan = 0x7FC0DEADu, kNumber = 0x41C7A5A5u };

// Memory that cannot be touched without a fault, right after the content (rounded up to 64 bytes, which a
// kernel may read), or right before it; the other end has a guard alone.
enum class Fence { kNone, kBehind, kBefore };

// 64-byte aligned, its size exactly `bytes`. Threads: [one at a time]
class Guarded {
 public:
  Guarded(uint64_t bytes, Poison poison, Fence fence = Fence::kNone);

  uint64_t bytes() const { return bytes_; }
  // Null for 0 bytes, as the host gives it.
  void* data() { return bytes_ > 0 ? begin() : nullptr; }
  const void* data() const { return bytes_ > 0 ? begin() : nullptr; }
  template <class T>
  T* as() {
    return static_cast<T*>(data());
  }
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data());
  }
  // Where a plugin finds the content: at data(), or where it was lent to.
  void* given() { return bytes_ > 0 && lent_ != nullptr ? lent_ + before_ : data(); }
  template <class T>
  T* given_as() {
    return static_cast<T*>(given());
  }
  // The content with its guards lies at `whole`, whole_bytes() long, in a device's memory.
  void lend(void* whole) { lent_ = static_cast<uint8_t*>(whole); }
  void* lent() const { return lent_; }
  void* whole() { return memory_.get(); }
  uint64_t whole_bytes() const { return before_ + bytes_ + behind_; }
  void write(const void* from, uint64_t bytes) {
    if (bytes > 0) std::memcpy(begin(), from, bytes);
  }
  // Fills the content, and the guards when `guards`.
  void poison(Poison poison, bool guards = true);
  // "" or what is wrong with the guards: "8 bytes past its end were written (the first at +0)".
  std::string overrun() const;
  // Number of whole f32 that still hold the pattern; *first is the first of them.
  uint64_t untouched_f32(uint64_t* first) const;
  bool same_bits(const Guarded& other) const {
    return bytes_ == other.bytes_ && (bytes_ == 0 || std::memcmp(data(), other.data(), bytes_) == 0);
  }

 private:
  static constexpr uint64_t kGuard = 512;
  struct Free {
    Free() : Free(nullptr, 0) {}
    Free(void* map, uint64_t bytes) : mapped(map), mapped_bytes(bytes) {}
    void* mapped;  // with its fences; null: of the heap
    uint64_t mapped_bytes;
    void operator()(uint8_t* memory) const;
  };
  std::unique_ptr<uint8_t, Free> between_fences(Fence fence);
  uint8_t* begin() const { return memory_.get() + before_; }
  static uint8_t pattern(Poison poison, uint64_t place) {
    return static_cast<uint8_t>(static_cast<uint32_t>(poison) >> 8 * (place % 4));
  }

  uint64_t bytes_;
  uint64_t before_ = kGuard, behind_ = kGuard;  // bytes of the guards
  Poison poison_;
  uint8_t* lent_ = nullptr;
  std::unique_ptr<uint8_t, Free> memory_;
};

}  // namespace plait::inline verify
