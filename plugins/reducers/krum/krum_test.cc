#include <doctest/doctest.h>
#include <plait/sdk/random.hpp>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_reducer.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Values = std::vector<float>;

struct Test {
  TestHost host;
  Entry entry = linked("plait.krum");
  WholeTest whole;
  Test(int failures, int best, std::vector<ReducedStretch> stretches)
      : whole(host, entry, Settings(entry).set("failures", failures).set("best", best),
              std::move(stretches)) {}
  Test(int failures, int best, size_t count) : Test(failures, best, {{"w", count}}) {}
};

TEST_CASE("by hand: the shard that is nearest to its K - f - 2 nearest others") {
  // One failure of five: the 2 nearest. 0: 1 + 4, 1: 1 + 1, 2: 1 + 4, 10: 64 + 81, 50: 1600 + 2304
  CHECK(Test(1, 1, 1).whole.combine({{50}, {0}, {1}, {2}, {10}}) == Values{1});
  // The two best are 1 and, of equal ones, the first: 0.
  CHECK(Test(1, 2, 1).whole.combine({{50}, {0}, {1}, {2}, {10}}) == Values{0.5});
  // No failure of three: the one nearest.
  CHECK(Test(0, 1, 2).whole.combine({{0, 0}, {3, 4}, {3, 5}}) == Values{3, 4});
}

TEST_CASE("agrees with trying all neighbours") {
  Random random(3, 0);
  for (int turn = 0; turn < 20; ++turn) {
    constexpr size_t kShards = 9, kCount = 5;
    const auto failures = static_cast<size_t>(turn % 4);
    std::vector<Values> deltas(kShards, Values(kCount));
    for (Values& delta : deltas)
      for (float& value : delta) value = static_cast<float>(random.integer(-9, 9));
    // The least sum over every choice of so many others is that of the nearest.
    double least = INFINITY;
    size_t chosen = 0;
    for (size_t k = 0; k < kShards; ++k)
      for (unsigned others = 0; others < 1u << kShards; ++others) {
        if ((others >> k & 1) || static_cast<size_t>(__builtin_popcount(others)) != kShards - failures - 2)
          continue;
        double sum = 0;
        for (size_t j = 0; j < kShards; ++j)
          for (size_t i = 0; (others >> j & 1) && i < kCount; ++i)
            sum += std::pow(deltas[k][i] - deltas[j][i], 2);
        if (sum < least) least = sum, chosen = k;
      }
    CHECK(Test(static_cast<int>(failures), 1, kCount).whole.combine(deltas) == deltas[chosen]);
  }
}

TEST_CASE("buffers and slots are the chosen shard's, and do not choose") {
  Test test(0, 1, {{"w", 1}, {"mean", 1, PLAIT_REDUCED_BUFFER}, {"w.m", 1, PLAIT_REDUCED_SLOT}});
  CHECK(test.whole.combine({{0, 100, 7}, {1, -50, 8}, {5, -50, 9}}) == Values{0, 100, 7});
  Test two(0, 2,
           {{"w", 1},
            {"mean", 1, PLAIT_REDUCED_BUFFER},
            {"v", 1, PLAIT_REDUCED_BUFFER, Reduce::variance},
            {"most", 1, PLAIT_REDUCED_BUFFER, Reduce::max}});
  // Means 2 and 4, variances 1 and 3: of all samples 2 + 1.
  CHECK(two.whole.combine({{0, 2, 1, 6}, {1, 4, 3, 5}, {9, 90, 90, 90}}) == Values{0.5, 3, 3, 6});
}

TEST_CASE("shards without a result are far from all, until they are too many") {
  CHECK(Test(1, 1, 1).whole.combine({{}, {0}, {1}, {2}, {10}}) == Values{1});
  CHECK(Test(1, 3, 1).whole.combine({{0}, {1}, {2}, {3}, {}}) == Values{1});  // 1, 2, and 0 before 3
  CHECK_THROWS_WITH(
      Test(1, 1, 1).whole.combine({{}, {}, {1}, {2}, {}}),
      "shard 0 is among the best 1, but it or its neighbours have no result: more shards failed "
      "than 1");
}

TEST_CASE("too few shards are refused, also for vectors of no elements") {
  const std::string words = "got 4 shards, wanted 5 or more for failures: 1 (2 failures + 3)";
  CHECK_THROWS_WITH(Test(1, 1, 1).whole.combine({{1}, {2}, {3}, {4}}), words.c_str());
  TestHost host;
  const Entry entry = linked("plait.krum");
  WholeTest none(host, entry, Settings(entry), std::vector<ReducedStretch>());
  CHECK_THROWS_WITH(none.combine({{}, {}, {}, {}}), words.c_str());
  CHECK_THROWS_WITH(Test(1, 5, 1).whole.combine({{1}, {2}, {3}, {4}, {5}}),
                    "got best: 5, wanted at most 4 for 5 shards and failures: 1");
}

}  // namespace
