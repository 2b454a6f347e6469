// Counter-based random numbers: Philox 4x32-10.
//
// A draw is a pure function of (key, counter): no hidden state, the same on every machine, thread count and
// order. The host gives a key and the upper half of the counter for each sample or step (plait_rng); the
// lower half is the plugin's. Words are numbered: word w of a generator lies in block w / 4, at place w % 4.
//
//   key     [0] low, [1] high 32 bits of plait_rng.key
//   counter [0] low, [1] high 32 bits of the block number, [2] low, [3] high 32 bits of
//   plait_rng.counter_high
//
// Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3.
// Threads: block() and at() [any]; the drawing functions move a position: one Random per thread.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

#include "error.hpp"

namespace plait::sdk {

using PhiloxBlock = std::array<uint32_t, 4>;

// Ten rounds on one counter.
constexpr PhiloxBlock philox(PhiloxBlock counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

// One generator. Copies go on from the same position.
class Random {
 public:
  explicit Random(plait_rng rng) : rng_(rng) {}
  Random(uint64_t key, uint64_t counter_high) : rng_{key, counter_high} {}

  // Block number `index`: four words. Does not move the position.
  PhiloxBlock block(uint64_t index) const {
    return philox({static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32),
                   static_cast<uint32_t>(rng_.counter_high), static_cast<uint32_t>(rng_.counter_high >> 32)},
                  {static_cast<uint32_t>(rng_.key), static_cast<uint32_t>(rng_.key >> 32)});
  }
  // Word number `index`, whatever the position: element i of a tensor takes at(i).
  uint32_t at(uint64_t index) const { return block(index / 4)[index % 4]; }
  // Word number `index` as a number in [0, 1).
  double uniform_at(uint64_t index) const { return to_unit(at(index)); }

  // The next word.
  uint32_t next() {
    if (position_ % 4 == 0) current_ = block(position_ / 4);
    return current_[position_++ % 4];
  }
  // In [0, 1), a multiple of 2^-32. One word.
  double uniform() { return to_unit(next()); }
  // In [low, high). One word.
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // Mean 0, deviation 1. Two words. Source: Box, Muller 1958.
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(to_unit(next()) + 0x1p-33));
    return radius * std::cos(6.283185307179586 * to_unit(next()));
  }
  double normal(double mean, double deviation) { return mean + deviation * normal(); }
  // True with probability p. One word.
  bool chance(double p) { return uniform() < p; }
  // One of 0 .. n - 1, each as likely; n >= 1. One word, seldom more. Source: Lemire 2019.
  uint32_t integer(uint32_t n) {
    uint64_t product = uint64_t{next()} * n;
    if (static_cast<uint32_t>(product) < n) {
      const uint32_t threshold = (0u - n) % n;
      while (static_cast<uint32_t>(product) < threshold) product = uint64_t{next()} * n;
    }
    return static_cast<uint32_t>(product >> 32);
  }
  // One of low .. high, both included.
  int64_t integer(int64_t low, int64_t high) { return low + integer(static_cast<uint32_t>(high - low + 1)); }
  template <class V>
  void shuffle(std::span<V> values) {
    for (size_t i = values.size(); i > 1; --i)
      std::swap(values[i - 1], values[integer(static_cast<uint32_t>(i))]);
  }

  // Another generator for part `index` of the work (a child plugin, say): same counters, another key.
  Random split(uint64_t index) const {
    return Random(mix(rng_.key + 0x9E3779B97F4A7C15u * (index + 1)), rng_.counter_high);
  }
  plait_rng c() const { return rng_; }

  static constexpr double to_unit(uint32_t word) { return word * 0x1p-32; }

 private:
  // Source: Steele, Lea, Flood 2014 (SplitMix64's finalizer).
  static constexpr uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  plait_rng rng_;
  uint64_t position_ = 0;
  PhiloxBlock current_{};
};

}  // namespace plait::sdk
