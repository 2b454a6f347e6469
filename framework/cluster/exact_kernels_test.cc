#include "cluster/exact_kernels.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

namespace plait {
namespace {

// Values of every size that still fits |x * scale| < limit, ties included.
std::vector<float> hard_values(size_t n, double limit, float scale) {
  std::mt19937_64 generator(3);
  std::vector<float> x(n);
  for (size_t i = 0; i < n; ++i) {
    const double size = std::ldexp(limit, -static_cast<int>(generator() % 40));
    const double unit = static_cast<double>(generator() % 2001) / 1001.0 - 1.0;
    x[i] = static_cast<float>(std::floor(unit * size) + (generator() % 4) * 0.25) / scale;
  }
  return x;
}

// The obvious loop, with the library's rounding.
template <class Integer>
std::vector<Integer> expected_sum(const std::vector<float>& x, float scale, int32_t weight) {
  std::vector<Integer> sum(x.size(), 5);
  for (size_t i = 0; i < x.size(); ++i)
    sum[i] += static_cast<Integer>(weight * std::llrint(static_cast<double>(x[i]) * scale));
  return sum;
}

TEST_CASE_TEMPLATE("the fast loops add what the obvious loop adds", Integer, int32_t, int64_t) {
  const double limit = sizeof(Integer) == 4 ? 0x1p28 : 0x1p59;
  for (const size_t n : {0u, 1u, 7u, 16u, 33u, 4096u, 4097u}) {
    for (const int32_t weight : {1, 3}) {
      for (const float scale : {1.0f, 0x1p-7f, 0x1p90f}) {
        const std::vector<float> x = hard_values(n, limit, scale);
        std::vector<Integer> sum(n, 5);
        add_scaled(std::span<Integer>(sum), x, scale, weight);
        CHECK(sum == expected_sum<Integer>(x, scale, weight));
      }
    }
  }
}

TEST_CASE("ties go to even on both sides of the 31-bit seam of the 64-bit loop") {
  const std::vector<float> x = {0.5f,    1.5f,    2.5f,        -0.5f,          -1.5f,
                                0x1p30f, 0x1p31f, 3 * 0x1p30f, 0x1.fffffep61f, -0x1.fffffep61f};
  std::vector<int64_t> sum(x.size());
  add_scaled(std::span<int64_t>(sum), x, 1.0f, 1);
  CHECK(sum == std::vector<int64_t>{0, 2, 2, 0, -2, 1LL << 30, 1LL << 31, 3LL << 30, ((1LL << 24) - 1) << 38,
                                    -(((1LL << 24) - 1) << 38)});
}

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
}  // namespace plait
