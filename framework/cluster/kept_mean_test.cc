#include "cluster/kept_mean.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>

#include "cluster/local_transport.h"

namespace plait::inline cluster {
namespace {

using Values = std::vector<std::vector<float>>;

enum class Span { kAll, kFewWindows, kOneWindow };

// Finite, of every exponent, or of less; with ties, zeros and (of all) denormals among them.
Values drawn(size_t shards, size_t count, uint32_t seed, Span span) {
  std::mt19937 generator(seed);
  Values all(shards, std::vector<float>(count));
  for (std::vector<float>& values : all) {
    for (float& value : values) {
      uint32_t bits = generator();
      if (generator() % 4 == 0) bits &= 0xffff0000u;
      if (generator() % 64 == 0) bits &= 0x80000000u;
      if (span == Span::kAll && generator() % 64 == 0) bits &= 0x807fffffu;
      if (span == Span::kFewWindows && (bits & 0x7fffffffu) != 0) bits = (bits & 0x8fffffffu) | 0x30000000u;
      if (span == Span::kOneWindow && (bits & 0x7fffffffu) != 0) bits = (bits & 0x83ffffffu) | 0x38000000u;
      if ((bits & kInfinityBits) == kInfinityBits) bits ^= 0x40000000u;
      value = std::bit_cast<float>(bits);
    }
  }
  return all;
}

std::vector<float> by_sums(const Segment& segment, const Values& values,
                           const std::vector<int32_t>& weights) {
  auto world = make_local_world(1);
  auto sum = ExactSum::create({segment}, std::accumulate(weights.begin(), weights.end(), int64_t{0}));
  REQUIRE(sum.is_ok());
  for (size_t k = 0; k < values.size(); ++k) REQUIRE((*sum)->accumulate(values[k], weights[k]).is_ok());
  REQUIRE((*sum)->reduce(*world.front()).is_ok());
  std::vector<float> mean(values.front().size());
  (*sum)->mean(mean);
  return mean;
}

std::vector<float> by_kept(const Segment& segment, const Values& values, const std::vector<int32_t>& weights,
                           size_t piece) {
  KeptMean kept({segment}, std::accumulate(weights.begin(), weights.end(), int64_t{0}), values.size());
  kept.begin();
  for (size_t k = 0; k < values.size(); ++k) REQUIRE(kept.keep(k, values[k], weights[k]).is_ok());
  REQUIRE(kept.check_complete().is_ok());
  std::vector<float> mean(values.front().size());
  for (size_t at = 0; at < mean.size(); at += piece)
    kept.write(at, std::span(mean).subspan(at, std::min(piece, mean.size() - at)));
  return mean;
}

}  // namespace

TEST_CASE("the mean of kept values has the bits of the exact sum") {
  for (const std::vector<int32_t>& weights :
       {std::vector<int32_t>{1}, {1, 1}, {2, 2}, {1, 1, 1}, {1, 5, 3, 20, 35}, std::vector<int32_t>(64, 1)}) {
    CAPTURE(weights.size());
    for (const Span span : {Span::kAll, Span::kFewWindows, Span::kOneWindow}) {
      for (uint32_t seed = 0; seed < 40; ++seed) {
        const Values values = drawn(weights.size(), 1500, seed, span);
        const Segment all{"w", 0, 1500, ReduceRule::kMean};
        const std::vector<float> a = by_sums(all, values, weights), b = by_kept(all, values, weights, 333);
        REQUIRE(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST_CASE("kept values are refused where one is not finite, and where a shard is missing") {
  KeptMean kept({{"f1.weight", 4, 3, ReduceRule::kMean}}, 2, 2);
  std::vector<float> values(8, 1.0f);
  kept.begin();
  CHECK(kept.keep(0, values, 1).is_ok());
  CHECK(kept.check_complete().message().find("weigh 1, wanted 2") != std::string::npos);
  values[6] = std::numeric_limits<float>::quiet_NaN();
  const Status refused = kept.keep(1, values, 1);
  CHECK(refused.code() == Code::kNumeric);
  CHECK(refused.message().find("\"f1.weight\": element 2 of 3 is not a number") != std::string::npos);
}

}  // namespace plait::inline cluster
