#include <plait/bf16.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "bf16_test.inc.hpp"
#include <plait/simd/avx2.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "bf16_test.inc.hpp"
#include <plait/simd/avx512.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "bf16_test.inc.hpp"
#include <plait/simd/end.hpp>
// clang-format on

using namespace plait::sdk;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// All halves, and what lies at, below and above the middle of each and the next.
std::vector<float> all_floats() {
  std::vector<float> all;
  for (uint32_t upper = 0; upper < 0x10000; ++upper)
    for (const uint32_t lower : {0u, 1u, 0x7FFFu, 0x8000u, 0x8001u, 0xFFFFu})
      all.push_back(std::bit_cast<float>(upper << 16 | lower));
  return all;
}

// By arithmetic in f64: the nearest of the two neighbours, of equally near ones the even one.
uint16_t nearest(float x) {
  const auto below = static_cast<uint16_t>(std::bit_cast<uint32_t>(x) >> 16);  // towards 0
  const auto above = static_cast<uint16_t>(below + 1);
  const double low = std::abs(static_cast<double>(f32_of_bf16(below)));
  const bool past = std::isinf(f32_of_bf16(above));
  const double high = past ? 0x1p128 : std::abs(static_cast<double>(f32_of_bf16(above)));
  const double to_low = std::abs(static_cast<double>(x)) - low,
               to_high = high - std::abs(static_cast<double>(x));
  if (to_low != to_high) return to_low < to_high ? below : above;
  return below % 2 == 0 ? below : above;
}

}  // namespace

TEST_CASE("every bf16 is an f32 and comes back") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float wide = f32_of_bf16(half);
    if (std::isnan(wide))
      CHECK(std::isnan(f32_of_bf16(bf16_of_f32(wide))));
    else
      CHECK(bf16_of_f32(wide) == half);
  }
}

TEST_CASE("rounding is to the nearest, ties to even, and NaN stays NaN") {
  for (const float x : all_floats()) {
    CAPTURE(x);
    if (std::isnan(x))
      CHECK(std::isnan(f32_of_bf16(bf16_of_f32(x))));
    else if (std::isinf(x))
      CHECK(f32_of_bf16(bf16_of_f32(x)) == x);
    else
      CHECK(bf16_of_f32(x) == nearest(x));
  }
  CHECK(bf16_of_f32(1 + 0x1p-8f) == 0x3F80);
  CHECK(bf16_of_f32(1 + 3 * 0x1p-8f) == 0x3F82);
  CHECK(f32_of_bf16(bf16_of_f32(std::numeric_limits<float>::max())) == kInf);
}

TEST_CASE("arrays and vectors of every instruction set round alike") {
  const std::vector<float> from = all_floats();
  std::vector<uint16_t> one(from.size()), array(from.size()), vectors(from.size());
  std::ranges::transform(from, one.begin(), [](float x) { return bf16_of_f32(x); });
  round_to_bf16(from.data(), array.data(), from.size());
  CHECK(array == one);
  std::vector<float> back(from.size()), wide(from.size());
  std::ranges::transform(one, back.begin(), [](uint16_t x) { return f32_of_bf16(x); });
  const auto same_bits = [&] {
    return std::ranges::equal(
        back, wide, {}, [](float x) { return std::bit_cast<uint32_t>(x); },
        [](float x) { return std::bit_cast<uint32_t>(x); });
  };
  widen_bf16(one.data(), wide.data(), one.size());
  CHECK(same_bits());
  const Simd best = best_simd();
  const auto check = [&](auto round, auto widen) {
    std::ranges::fill(vectors, uint16_t{7});
    std::ranges::fill(wide, 7.0f);
    round(from.data(), vectors.data(), from.size());
    widen(one.data(), wide.data(), one.size());
    CHECK(vectors == one);
    CHECK(same_bits());
  };
  REQUIRE(from.size() % 16 == 0);
  check(simd_base::round_all, simd_base::widen_all);
  check(simd_base::round_full, simd_base::widen_full);
  if (best >= Simd::kAvx2) {
    check(simd_avx2::round_all, simd_avx2::widen_all);
    check(simd_avx2::round_full, simd_avx2::widen_full);
  }
  if (best >= Simd::kAvx512) {
    check(simd_avx512::round_all, simd_avx512::widen_all);
    check(simd_avx512::round_full, simd_avx512::widen_full);
  }
}

TEST_CASE("a vector that is not full touches nothing past its end") {
  for (size_t n = 1; n < 40; ++n) {
    std::vector<float> from(n, 1.5f);
    std::vector<uint16_t> to(n + 1, 7);
    PLAIT_SIMD_CALL(round_all, from.data(), to.data(), n);
    CHECK(std::count(to.begin(), to.end() - 1, uint16_t{0x3FC0}) == static_cast<std::ptrdiff_t>(n));
    CHECK(to.back() == 7);
  }
}

TEST_CASE("sums are rounded once") {
  std::vector<uint16_t> to = {bf16_of_f32(256), bf16_of_f32(1)};
  const std::vector<uint16_t> from = {bf16_of_f32(1), bf16_of_f32(0.5f)};
  add_bf16(to.data(), from.data(), to.size());
  CHECK(f32_of_bf16(to[0]) == 256);  // 257 lies between 256 and 258
  CHECK(f32_of_bf16(to[1]) == 1.5f);
}
