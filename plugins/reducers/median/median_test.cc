#include <doctest/doctest.h>
#include <plait/sdk/random.hpp>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_reducer.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk::testing;
using plait::sdk::Random;

namespace {

std::vector<float> median_of(const std::vector<std::vector<float>>& deltas, int lanes = 1) {
  TestHost host;
  host.lanes = lanes;
  const auto entry = linked("plait.median");
  CHECK(!static_cast<const plait_reducer_ops*>(entry.implementation.ops)->weight);
  return combine_slices(host, entry, Settings(entry), deltas);
}

TEST_CASE("by hand: one astray does not matter, an even number has two in the middle") {
  CHECK(median_of({{1, -5}, {2, -6}, {1e30f, -7}}) == std::vector<float>{2, -6});
  CHECK(median_of({{1}, {2}, {4}, {100}}) == std::vector<float>{3});
  CHECK(median_of({{7, 8}}) == std::vector<float>{7, 8});
}

TEST_CASE("agrees with sorting for every number of shards, on one lane and on several") {
  for (const size_t shards : {2, 3, 5, 8, 31, 64, 65, 100}) {
    CAPTURE(shards);
    std::vector<std::vector<float>> deltas(shards, std::vector<float>(10'001));
    Random random(shards, 0);
    for (auto& delta : deltas) {
      for (float& value : delta) value = static_cast<float>(random.integer(-20, 20));  // with many equal ones
    }
    const auto combined = median_of(deltas);
    for (size_t i = 0; i < combined.size(); ++i) {
      std::vector<float> column;
      for (const auto& delta : deltas) column.push_back(delta[i]);
      std::sort(column.begin(), column.end());
      const float expected = 0.5f * (column[(shards - 1) / 2] + column[shards / 2]);
      if (combined[i] != expected) FAIL("element " << i << " is " << combined[i] << ", wanted " << expected);
    }
    CHECK(median_of(deltas, 3) == combined);
  }
}

TEST_CASE("what is not finite is left out while most shards are; else it is refused, naming a shard") {
  CHECK(median_of({{1, 2}, {3, NAN}, {5, 4}}) == std::vector<float>{3, 3});
  CHECK(median_of({{1}, {INFINITY}, {2}, {-INFINITY}, {4}}) == std::vector<float>{2});
  std::vector<std::vector<float>> many(99, std::vector<float>(300, 1));
  many[7].assign(300, NAN);
  CHECK(median_of(many) == std::vector<float>(300, 1));
  CHECK_THROWS_WITH(median_of({{1, 2}, {1, NAN}, {1, -INFINITY}}),
                    "2 of 3 shards, shard 2 among them, have a value that is not finite: the others are no "
                    "majority");
  CHECK_THROWS(median_of({{NAN}}));
  CHECK_THROWS(median_of({{1}, {INFINITY}}));
}

}  // namespace
