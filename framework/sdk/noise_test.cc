#include <doctest/doctest.h>
#include <plait/noise.hpp>

#include <cmath>
#include <vector>

using namespace plait::sdk;

namespace {

TEST_CASE("the words are those of Philox's blocks, 16 blocks at a time") {
  const Random random(0x123456789abcdef0u, 77);
  std::vector<uint32_t> words(200);
  fill_words(random, words.data(), words.size());
  for (size_t i = 0; i < words.size(); ++i)
    CHECK(words[i] == random.block(i / 64 * 16 + i % 16)[i % 64 / 16]);
}

TEST_CASE("normal numbers are those of Box and Muller in f64") {
  const Random random(5, 6);
  std::vector<uint32_t> words(640);
  std::vector<float> normals(640);
  fill_words(random, words.data(), words.size());
  fill_normals(random, normals.data(), normals.size());
  for (size_t group = 0; group < 10; ++group) {
    for (size_t i = 0; i < 32; ++i) {
      const uint32_t* const of = &words[64 * group + i % 16 + i / 16 * 32];
      const double radius = std::sqrt(-2 * std::log((std::floor(of[0] / 2.0) + 0.5) / 0x1p31));
      const double angle = 6.283185307179586 * std::floor(of[16] / 256.0) / 0x1p24;
      // The logarithm near 1 is of a share rounded to 2^-25: its root is off by 2^-13 at most, and little
      // where it is not near 0; the rest are a few roundings.
      const double bound = 4e-6 + 0x1p-24 / std::max(radius, 0x1p-12);
      CHECK(std::abs(normals[64 * group + i] - radius * std::cos(angle)) < bound);
      CHECK(std::abs(normals[64 * group + 32 + i] - radius * std::sin(angle)) < bound);
    }
  }
}

TEST_CASE("moments of a million; numbers do not depend on how many are wanted") {
  std::vector<float> many(1 << 20), few(100);
  fill_normals(Random(1, 2), many.data(), many.size());
  fill_normals(Random(1, 2), few.data(), few.size());
  CHECK(std::equal(few.begin(), few.end(), many.begin()));
  double sums[5] = {};
  for (const float x : many)
    for (int power = 1; power <= 4; ++power) sums[power] += std::pow(static_cast<double>(x), power);
  const auto count = static_cast<double>(many.size());
  // Five deviations of each mean: variances of x, x^2, x^3 and x^4 are 1, 2, 15 and 96.
  CHECK(std::abs(sums[1] / count) < 5 * std::sqrt(1 / count));
  CHECK(std::abs(sums[2] / count - 1) < 5 * std::sqrt(2 / count));
  CHECK(std::abs(sums[3] / count) < 5 * std::sqrt(15 / count));
  CHECK(std::abs(sums[4] / count - 3) < 5 * std::sqrt(96 / count));
}

}  // namespace
