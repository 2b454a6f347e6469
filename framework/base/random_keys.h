// Keys of the counter-based random numbers (Philox 4x32-10, plait/sdk/random.hpp): which numbers belong to
// what.
//
// A key is a function of (seed, purpose, name); the upper half of the counter says which sample or step.
// Nothing else enters: no rank, no thread, no order of execution.
#pragma once
#include <cstdint>
#include <string_view>

namespace plait::inline base {

enum class RandomPurpose : uint64_t {
  kInitialValues = 1,  // name: the parameter's; counter_high: 0
  kLayer = 2,          // name: the layer's; counter_high: random_counter(step, shard)
  kAugment =
      3,  // name: "<place in the chain> <type id>"; counter_high: random_counter(place in epoch, epoch)
  kShuffle = 4,      // name: "train"; counter_high: epoch
  kReplacement = 5,  // name: "train"; counter_high: epoch
  kSplit = 6,        // name: "validation"; counter_high: 0
  kTask = 7,         // name: the stage's; counter_high: random_counter(pass, 0 in map, 1 in finish)
};

// Source: Steele, Lea, Flood 2014 (SplitMix64's finalizer).
constexpr uint64_t mix64(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

constexpr uint64_t random_key(uint64_t seed, RandomPurpose purpose, std::string_view name) {
  uint64_t key = mix64(seed + 0x9E3779B97F4A7C15u);
  key = mix64(key ^ (static_cast<uint64_t>(purpose) * 0xD1B54A32D192ED03u));
  for (char c : name) key = mix64(key ^ static_cast<unsigned char>(c)) + 0x9E3779B97F4A7C15u;
  return mix64(key ^ name.size());
}

// Upper half of the counter from two numbers: `minor` below 2^24 stays apart from `major` below 2^40.
constexpr uint64_t random_counter(int64_t major, uint64_t minor) {
  return (static_cast<uint64_t>(major) << 24) ^ minor;
}

}  // namespace plait::inline base
