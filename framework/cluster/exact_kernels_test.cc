#include "cluster/exact_kernels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>
#ifdef __SSE__
#include <immintrin.h>
#endif

namespace plait::inline cluster {
namespace {

// Finite values of every exponent, denormals and both zeros among them; round mantissas for ties.
std::vector<float> values_of_all_sizes(size_t n, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> x(n);
  for (float& value : x) {
    uint32_t bits = generator();
    if (generator() % 4 == 0) bits &= 0xffff0000u << generator() % 8;
    if (generator() % 16 == 0) bits &= 0x80000000u;
    if ((bits & kInfinityBits) == kInfinityBits) bits ^= 0x40000000u;
    value = std::bit_cast<float>(bits);
  }
  return x;
}

// What the header says, in f64, which holds every part exactly.
struct Obvious {
  double high = 0, low = 0;
  int window = 1;

  static double unit(int t) { return std::ldexp(1.0, kWindowBits * t + kLowestPlace); }
  static int top_of(double x) {
    int t = 1;
    while (std::fabs(x) > unit(t + 1) / 2) ++t;
    return t;
  }
  static double part(double x, int t) {
    for (int above = kLastWindow; above > t; --above) x -= std::nearbyint(x / unit(above)) * unit(above);
    return std::nearbyint(x / unit(t));
  }
  void raise(int wanted) {
    for (; window < wanted; ++window) {
      low = high;
      high = 0;
    }
  }
  void add(double x, double weight) {
    raise(std::max(window, top_of(x)));
    high += weight * part(x, window);
    low += weight * part(x, window - 1);
  }
  bool operator==(const Obvious&) const = default;
};

template <class Integer>
struct Sums {
  std::vector<Integer> high, low;
  std::vector<uint8_t> window;
  explicit Sums(size_t n) : high(n), low(n), window(n, 1) {}
  Bins<Integer> bins() { return {high, low, window}; }
  Bins<const Integer> view() const { return {high, low, window}; }
  Obvious at(size_t i) const {
    return {static_cast<double>(high[i]), static_cast<double>(low[i]), window[i]};
  }
};

TEST_CASE_TEMPLATE("the fast loops add values and sums as the obvious loop does", Integer, int32_t, int64_t) {
  for (const size_t n : {0u, 1u, 7u, 16u, 33u, 4096u, 4097u}) {
    Sums<Integer> sums(n);
    std::vector<Obvious> expected(n);
    for (uint32_t round = 0; round < 20; ++round) {
      const std::vector<float> x = values_of_all_sizes(n, round + 1);
      const int32_t weight = round % 3 == 0 ? 5 : 1;
      add_to_bins(sums.bins(), x, weight);
      for (size_t i = 0; i < n; ++i) expected[i].add(static_cast<double>(x[i]), weight);
    }
    for (size_t i = 0; i < n; ++i) REQUIRE(sums.at(i) == expected[i]);
    Sums<Integer> more(n);
    for (uint32_t round = 0; round < 3; ++round) {
      const std::vector<float> x = values_of_all_sizes(n, round + 100);
      add_to_bins(more.bins(), x, 1);
      for (size_t i = 0; i < n; ++i) expected[i].add(static_cast<double>(x[i]), 1);
    }
    add_bins(sums.bins(), more.view());
    for (size_t i = 0; i < n; ++i) REQUIRE(sums.at(i) == expected[i]);
  }
}

TEST_CASE_TEMPLATE("one value alone is its own mean, to the bit but for the sign of 0", Integer, int32_t,
                   int64_t) {
  const std::vector<float> x = values_of_all_sizes(20'000, 7);
  Sums<Integer> sums(x.size());
  add_to_bins(sums.bins(), x, 1);
  std::vector<float> mean(x.size());
  write_mean(mean, sums.view(), 1);
  for (size_t i = 0; i < x.size(); ++i)
    REQUIRE(std::bit_cast<uint32_t>(mean[i]) == (x[i] == 0 ? 0 : std::bit_cast<uint32_t>(x[i])));
}

TEST_CASE_TEMPLATE("means are divided in f64 and rounded once, denormal ones too", Integer, int32_t,
                   int64_t) {
  const std::vector<float> a = values_of_all_sizes(5000, 8);
  std::vector<float> b = a, mean(a.size());
  for (float& x : b) x *= 1.5f;
  std::erase_if(b, [](float x) { return !std::isfinite(x); });
  b.resize(a.size());
  Sums<Integer> sums(a.size());
  add_to_bins(sums.bins(), a, 1);
  add_to_bins(sums.bins(), b, 2);
  write_mean(mean, sums.view(), 3);
  for (size_t i = 0; i < a.size(); ++i) {
    const Obvious sum = sums.at(i);
    const double exact = (sum.high * 0x1p24 + sum.low) * Obvious::unit(sum.window - 1) / 3;
    REQUIRE(mean[i] == static_cast<float>(exact));
    REQUIRE((mean[i] != 0 || !std::signbit(mean[i])));
  }
}

#ifdef __SSE__
TEST_CASE("flush-to-zero, which the steps of a training run with, changes no bit") {
  std::vector<float> x(1000);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::bit_cast<float>(static_cast<uint32_t>(i * 20011));
  std::vector<uint32_t> bits[2];
  const unsigned control = _mm_getcsr();
  for (const int flushed : {0, 1}) {
    if (flushed == 1) _mm_setcsr(control | 0x8040);  // results and operands
    Sums<int32_t> sums(x.size());
    add_to_bins(sums.bins(), x, 1);
    std::vector<float> mean(x.size());
    write_mean(mean, sums.view(), 3);
    _mm_setcsr(control);
    for (const float m : mean) bits[flushed].push_back(std::bit_cast<uint32_t>(m));
  }
  CHECK(bits[0] == bits[1]);
  CHECK(bits[0][10] == (10 * 20011 + 1) / 3);
}
#endif

TEST_CASE("the largest magnitude is found at every place, and NaN is above infinity") {
  for (size_t n = 1; n < 70; ++n) {
    std::vector<float> x(n, 0.25f);
    x[n * 7 % n] = 0.5f;
    x[n - 1] = -3.0f;
    CHECK(largest_magnitude_bits(x) == std::bit_cast<uint32_t>(3.0f));
    x[n / 2] = std::numeric_limits<float>::infinity();
    CHECK(largest_magnitude_bits(x) == kInfinityBits);
    x[n / 2] = -std::numeric_limits<float>::quiet_NaN();
    CHECK(largest_magnitude_bits(x) > kInfinityBits);
  }
  CHECK(largest_magnitude_bits({}) == 0);
}

TEST_CASE("ordered integers compare as the floats do") {
  const std::vector<float> rising = {
      -std::numeric_limits<float>::infinity(), -2.0f, -1e-40f, -0.0f, 0.0f, 1e-40f, 3.0f};
  for (size_t i = 0; i < rising.size(); ++i) {
    CHECK(std::bit_cast<uint32_t>(from_ordered(to_ordered(rising[i]))) == std::bit_cast<uint32_t>(rising[i]));
    if (i != 0) CHECK(to_ordered(rising[i - 1]) < to_ordered(rising[i]));
  }
}

}  // namespace
}  // namespace plait::inline cluster
