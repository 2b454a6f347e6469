// Random draws of the kit: the same for the same seed and test on every machine.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/random_keys.h"

namespace plait::inline verify {

// Threads: [one at a time]
class Dice {
 public:
  Dice(uint64_t seed, std::string_view name) : key_(random_key(seed, RandomPurpose::kLayer, name)) {}

  uint64_t bits() { return mix64(key_ + 0x9E3779B97F4A7C15u * ++drawn_); }
  // In [0, 1).
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  double between(double low, double high) { return low + (high - low) * unit(); }
  uint64_t below(uint64_t count) { return count == 0 ? 0 : bits() % count; }
  bool coin() { return (bits() & 1) != 0; }
  template <class T>
  const T& pick(const std::vector<T>& list) {
    return list[below(list.size())];
  }

 private:
  uint64_t key_;
  uint64_t drawn_ = 0;
};

}  // namespace plait::inline verify
