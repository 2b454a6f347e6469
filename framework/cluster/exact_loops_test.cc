// Every set of loops that this processor runs gives the bits of the plain one.
#include "cluster/exact_loops.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "cluster/exact_kernels.h"

namespace plait::inline cluster {
namespace {

// Finite, of every exponent; `tame` ones share a few windows, as the values of a layer do.
std::vector<float> finite_values(size_t n, uint32_t seed, bool tame) {
  std::mt19937 generator(seed);
  std::vector<float> x(n);
  for (float& value : x) {
    uint32_t bits = generator();
    if (generator() % 4 == 0) bits &= 0xffff0000u;   // ties
    if (generator() % 16 == 0) bits &= 0x807fffffu;  // denormals
    if (generator() % 16 == 0) bits &= 0x80000000u;  // zeros
    if (tame) bits = (bits & 0x83ffffffu) | 0x38000000u;
    if ((bits & kInfinityBits) == kInfinityBits) bits ^= 0x40000000u;
    value = std::bit_cast<float>(bits);
  }
  return x;
}

template <class T>
bool same_bytes(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <class Integer>
struct Sums {
  std::vector<Integer> high, low;
  std::vector<uint8_t> window;
  explicit Sums(size_t n) : high(n), low(n), window(n, 1) {}
  bool operator==(const Sums&) const = default;

  void add(const Loops& loops, const std::vector<float>& x, int32_t weight) {
    if constexpr (sizeof(Integer) == 4)
      loops.add32(high.data(), low.data(), window.data(), x.data(), x.size(), weight);
    else
      loops.add64(high.data(), low.data(), window.data(), x.data(), x.size(), weight);
  }
  void add(const Loops& loops, const Sums& o) {
    const size_t n = high.size();
    if constexpr (sizeof(Integer) == 4)
      loops.sum32(high.data(), low.data(), window.data(), o.high.data(), o.low.data(), o.window.data(), n);
    else
      loops.sum64(high.data(), low.data(), window.data(), o.high.data(), o.low.data(), o.window.data(), n);
  }
  std::vector<float> mean(const Loops& loops, double weight) const {
    std::vector<float> out(high.size());
    if constexpr (sizeof(Integer) == 4)
      loops.mean32(out.data(), high.data(), low.data(), window.data(), out.size(), weight);
    else
      loops.mean64(out.data(), high.data(), low.data(), window.data(), out.size(), weight);
    return out;
  }
};

// Lengths round the widths of vectors and the block of 256.
constexpr size_t kLengths[] = {0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 255, 256, 257, 511, 1025, 4099};

template <class Integer>
void compare(const Loops& plain, const Loops& other, size_t n, bool tame) {
  Sums<Integer> a(n), b(n), more_a(n), more_b(n);
  for (uint32_t round = 0; round < 12; ++round) {
    const std::vector<float> x = finite_values(n, 1000 * round + static_cast<uint32_t>(n), tame);
    const int32_t weight = round % 3 == 0 ? 7 : 1;
    auto& into_a = round % 2 == 0 ? a : more_a;
    auto& into_b = round % 2 == 0 ? b : more_b;
    into_a.add(plain, x, weight), into_b.add(other, x, weight);
    REQUIRE(into_a == into_b);
    REQUIRE(plain.magnitude(x.data(), n) == other.magnitude(x.data(), n));
  }
  a.add(plain, more_a), b.add(other, more_b);
  REQUIRE(a == b);
  for (const double weight : {1.0, 3.0, 36.0, 4294967296.0})
    REQUIRE(same_bytes(a.mean(plain, weight), b.mean(other, weight)));
}

void compare_kept(const Loops& plain, const Loops& other, size_t n, bool tame) {
  for (const size_t shards : {1, 2, 5}) {
    std::vector<std::vector<float>> values;
    std::vector<const float*> x;
    std::vector<int32_t> weights;
    for (uint32_t k = 0; k < shards; ++k) {
      values.push_back(finite_values(n, 77 * k + static_cast<uint32_t>(n), tame));
      x.push_back(values.back().data());
      weights.push_back(static_cast<int32_t>(k) + 1);
    }
    std::vector<float> a(n), b(n);
    const auto total = static_cast<double>(shards * (shards + 1) / 2);
    plain.kept(a.data(), x.data(), weights.data(), shards, n, total);
    other.kept(b.data(), x.data(), weights.data(), shards, n, total);
    REQUIRE(same_bytes(a, b));
  }
}

TEST_CASE("all sets of loops give the bits of the plain one") {
  const auto sets = loop_sets();
  REQUIRE(std::string(sets[0].name) == "plain");
  REQUIRE(sets[0].is_runnable());
  for (const LoopSet& set : sets.subspan(1)) {
    const std::string name = set.name;
    if (!set.is_runnable()) {
      MESSAGE("skipped: this processor has no ", name);
      continue;
    }
    CAPTURE(name);
    for (const size_t n : kLengths) {
      CAPTURE(n);
      for (const bool tame : {false, true}) {
        compare<int32_t>(*sets[0].loops, *set.loops, n, tame);
        compare<int64_t>(*sets[0].loops, *set.loops, n, tame);
        compare_kept(*sets[0].loops, *set.loops, n, tame);
      }
    }
  }
}

}  // namespace
}  // namespace plait::inline cluster
