// Pairs of a key and a value on their way from the tasks that emit them to the reducer.
#pragma once
#include <plait/abi.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace plait::inline mapreduce {

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
constexpr uint64_t kFirst = 0x9E3779B97F4A7C15u, kSecond = 0xD1B54A32D192ED03u;

inline uint64_t multiplied(uint64_t a, uint64_t b) {
  const auto product = static_cast<Product>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}
template <class Word>
Word word_at(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}
// The first of at most 8 bytes is the lowest. Without a call, as most keys are short.
inline uint64_t loaded(const char* at, size_t bytes) {
  if (bytes == 8) return word_at<uint64_t>(at);
  if (bytes >= 4)
    return word_at<uint32_t>(at) | uint64_t{word_at<uint32_t>(at + bytes - 4)} << (bytes - 4) * 8;
  if (bytes == 0) return 0;
  const auto byte = [at](size_t i) { return uint64_t{static_cast<unsigned char>(at[i])} << i * 8; };
  return byte(0) | byte(bytes / 2) | byte(bytes - 1);
}
// Without a call up to 16 bytes.
inline bool are_same(std::string_view a, std::string_view b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
  if (size <= 8) return loaded(a.data(), size) == loaded(b.data(), size);
  if (loaded(a.data(), 8) != loaded(b.data(), 8)) return false;
  if (size <= 16) return loaded(a.data() + size - 8, 8) == loaded(b.data() + size - 8, 8);
  return std::memcmp(a.data() + 8, b.data() + 8, size - 8) == 0;
}
// May write 8 bytes where there are fewer.
inline void copy_loosely(std::string_view from, char* to) {
  if (from.size() > 8) {
    std::memcpy(to, from.data(), from.size());
  } else {
    const uint64_t word = loaded(from.data(), from.size());
    std::memcpy(to, &word, sizeof word);
  }
}

}  // namespace pair

// Of a key: the same on every machine, since it decides which rank reduces the key. Eight bytes at a time are
// folded in by a multiplication to 128 bits.
inline uint64_t key_hash(std::string_view key) {
  const char* at = key.data();
  size_t left = key.size();
  uint64_t hash = pair::kFirst ^ left;
  for (; left > 8; left -= 8, at += 8) hash = pair::multiplied(hash ^ pair::loaded(at, 8), pair::kSecond);
  hash = pair::multiplied(hash ^ pair::loaded(at, left), pair::kSecond);
  return pair::multiplied(hash, pair::kFirst);
}

// A key of at most 16 bytes, read once.
struct ShortKey {
  static constexpr size_t kMost = 16;
  uint64_t low = 0, high = 0;  // its first 8 bytes and the others, the first of each the lowest; then zeros
  size_t size = 0;

  static ShortKey of(std::string_view key) {
    if (key.size() <= 8) return {pair::loaded(key.data(), key.size()), 0, key.size()};
    return {pair::loaded(key.data(), 8), pair::loaded(key.data() + 8, key.size() - 8), key.size()};
  }
};

// The same as of its bytes.
inline uint64_t key_hash(const ShortKey& key) {
  const uint64_t first = pair::multiplied(pair::kFirst ^ key.size ^ key.low, pair::kSecond);
  const uint64_t both = pair::multiplied(first ^ key.high, pair::kSecond);
  const uint64_t hash = key.size > 8 ? both : first;  // without a jump: lengths are hard to foresee
  return pair::multiplied(hash, pair::kFirst);
}

// The first bytes of a key as a number in the same order.
inline uint64_t prefix_of(std::string_view key) {
  return __builtin_bswap64(pair::loaded(key.data(), std::min<size_t>(key.size(), 8)));
}

// Which of `ranks` reduces keys of that hash.
inline int rank_of(uint64_t hash, int ranks) {
  return static_cast<int>((hash >> 32) * static_cast<uint64_t>(ranks) >> 32);
}

}  // namespace plait::inline mapreduce
