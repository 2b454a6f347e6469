// A flat array of f32 in host memory, in the stored order of a plan: weights, gradients, or one slot of an
// optimizer.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

namespace plait::inline train {

// 64-byte aligned. Begins as `value` everywhere.
class HostArena {
 public:
  HostArena() = default;
  explicit HostArena(uint64_t elements, float value = 0)
      : data_(static_cast<float*>(::operator new(elements * sizeof(float) + 1, kAlign))), size_(elements) {
    std::fill_n(data_.get(), elements, value);
  }
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  uint64_t size() const { return size_; }
  uint64_t bytes() const { return size_ * sizeof(float); }
  std::span<float> span() { return {data_.get(), size_}; }
  std::span<const float> span() const { return {data_.get(), size_}; }

 private:
  static constexpr std::align_val_t kAlign{64};
  struct Free {
    void operator()(float* data) const { ::operator delete(data, kAlign); }
  };
  std::unique_ptr<float, Free> data_;
  uint64_t size_ = 0;
};

}  // namespace plait::inline train
