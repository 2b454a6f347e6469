#include "train/variance_sum.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <thread>

#include "cluster/local_transport.h"

namespace plait::inline train {
namespace {

constexpr size_t kChannels = 5;

// A shard's statistics as an arena: means, a gap, variances.
struct Shard {
  std::vector<float> arena = std::vector<float>(2 * kChannels + 1, -1);
  int32_t weight = 1;
};

std::vector<Shard> draw(size_t shards, double mean, double apart, double deviation, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> unit(-1, 1);
  std::vector<Shard> all(shards);
  for (Shard& shard : all) {
    shard.weight = 1 + static_cast<int32_t>(generator() % 3);
    for (size_t c = 0; c < kChannels; ++c) {
      shard.arena[c] = static_cast<float>(mean + apart * unit(generator));
      shard.arena[kChannels + 1 + c] = static_cast<float>(deviation * deviation * (1.5 + unit(generator)));
    }
  }
  return all;
}

// On `ranks` threads, shard k on rank k mod ranks, the last first where `backwards`.
std::vector<float> combined(const std::vector<Shard>& shards, int ranks, bool backwards) {
  auto world = make_local_world(ranks);
  std::vector<float> result;
  std::vector<std::thread> threads;
  int64_t total = 0;
  for (const Shard& shard : shards) total += shard.weight;
  for (size_t r = 0; r < world.size(); ++r)
    threads.emplace_back([&, r, rank = std::move(world[r])] {
      auto means = ExactSum::create({{"m", 0, kChannels, ReduceRule::kMean}}, total);
      auto variances = VarianceSum::create({{"v", 0, kChannels + 1, kChannels}}, total);
      REQUIRE((means.is_ok() && variances.is_ok()));
      for (int round = 0; round < 2; ++round) {
        (*means)->begin();
        (*variances)->begin();
        for (size_t i = 0; i < shards.size(); ++i) {
          const size_t k = backwards ? shards.size() - 1 - i : i;
          if (k % world.size() != r) continue;
          REQUIRE((*means)->accumulate(shards[k].arena, shards[k].weight));
          REQUIRE((*variances)->keep(shards[k].arena, shards[k].weight));
        }
        std::vector<float> arena(2 * kChannels + 1, -7);
        REQUIRE((*means)->reduce(*rank));
        (*means)->mean(arena);
        REQUIRE((*variances)->reduce(*rank, arena));
        (*variances)->write(arena);
        CHECK(arena[kChannels] == -7);
        if (r == 0) result = arena;
      }
    });
  for (std::thread& thread : threads) thread.join();
  return result;
}

TEST_CASE("variances about means far from 0 keep their digits, for any order and number of ranks") {
  for (const double apart : {0.0, 1e-3, 10.0}) {
    const std::vector<Shard> shards = draw(7, 1000, apart, 0.1, 3);
    const std::vector<float> result = combined(shards, 1, false);
    for (size_t c = 0; c < kChannels; ++c) {
      double total = 0, mean = 0, variance = 0;
      for (const Shard& shard : shards) total += shard.weight, mean += shard.weight * double{shard.arena[c]};
      mean /= total;
      for (const Shard& shard : shards) {
        const double off = shard.arena[c] - mean;
        variance += shard.weight * (double{shard.arena[kChannels + 1 + c]} + off * off) / total;
      }
      CHECK(result[c] == doctest::Approx(mean).epsilon(1e-7));
      // The mean of means is rounded to f32, to 3e-5: its square is 1e-9.
      CHECK(std::abs(result[kChannels + 1 + c] - variance) < 1e-6 * variance + 2e-9);
    }
    for (int ranks = 1; ranks <= 4; ++ranks)
      for (const bool backwards : {false, true}) CHECK(combined(shards, ranks, backwards) == result);
  }
}

TEST_CASE("a variance that is not finite is named") {
  auto sum = VarianceSum::create({{"b.variance", 0, 1, 1}}, 2);
  REQUIRE(sum.is_ok());
  const std::vector<float> arena = {1, INFINITY};
  const Status status = (*sum)->keep(arena, 1);
  CHECK(status.code() == Code::kNumeric);
  CHECK(status.message() == "\"b.variance\": a variance is not finite");
}

}  // namespace
}  // namespace plait::inline train
