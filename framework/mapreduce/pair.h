// Pairs of a key and a value on their way from the tasks that emit them to the reducer.
#pragma once
#include <plait/abi.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace plait {

// Borrowed.
struct Pair {
  std::string_view key, value;
  // Where it was emitted: pairs of a key come to the reducer in this order. 0 where the order does not count.
  int64_t split = 0, place = 0;

  // By key, as unsigned bytes, then by place.
  bool operator<(const Pair& other) const {
    if (const int order = key.compare(other.key)) return order < 0;
    return split != other.split ? split < other.split : place < other.place;
  }
};

namespace pair {

__extension__ typedef unsigned __int128 Product;

inline uint64_t multiplied(uint64_t a, uint64_t b) {
  const auto product = static_cast<Product>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}
inline uint64_t loaded(const char* at, size_t bytes) {
  uint64_t word = 0;
  std::memcpy(&word, at, bytes);
  return word;
}

}  // namespace pair

// Of a key: the same on every machine, since it decides which rank reduces the key. Eight bytes at a time are
// folded in by a multiplication to 128 bits.
inline uint64_t key_hash(std::string_view key) {
  constexpr uint64_t kFirst = 0x9E3779B97F4A7C15u, kSecond = 0xD1B54A32D192ED03u;
  const char* at = key.data();
  size_t left = key.size();
  uint64_t hash = kFirst ^ left;
  for (; left > 8; left -= 8, at += 8) hash = pair::multiplied(hash ^ pair::loaded(at, 8), kSecond);
  hash = pair::multiplied(hash ^ pair::loaded(at, left), kSecond);
  return pair::multiplied(hash, kFirst);
}

// Which of `ranks` reduces keys of that hash.
inline int rank_of(uint64_t hash, int ranks) {
  return static_cast<int>((hash >> 32) * static_cast<uint64_t>(ranks) >> 32);
}

}  // namespace plait
