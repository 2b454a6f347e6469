#include <doctest/doctest.h>
#include <plait/sdk/random.hpp>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_reducer.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk::testing;
using plait::sdk::Random;

namespace {

std::vector<float> trimmed_mean_of(const std::vector<std::vector<float>>& deltas, double trim,
                                   int lanes = 1) {
  TestHost host;
  host.lanes = lanes;
  const auto entry = linked("plait.trimmed_mean");
  return combine_slices(host, entry, Settings(entry).set("trim", trim), deltas);
}

TEST_CASE("by hand: a fifth of five is one at either end; of four it is none") {
  CHECK(trimmed_mean_of({{1, -9}, {2, -5}, {1e30f, -6}, {4, -7}, {-1e30f, 8}}, 0.2) ==
        std::vector<float>{7.0f / 3, -6});
  CHECK(trimmed_mean_of({{1}, {2}, {3}, {10}}, 0.2) == std::vector<float>{4});
  CHECK(trimmed_mean_of({{1}, {2}, {3}, {10}}, 0.49) == std::vector<float>{2.5f});
  CHECK(trimmed_mean_of({{7, 8}}, 0.49) == std::vector<float>{7, 8});
}

TEST_CASE("agrees with sorting for every number of shards, on one lane and on several") {
  for (const size_t shards : {2, 3, 5, 8, 31, 64, 65, 100}) {
    CAPTURE(shards);
    std::vector<std::vector<float>> deltas(shards, std::vector<float>(10'001));
    Random random(shards, 0);
    for (auto& delta : deltas) {
      for (float& value : delta) value = static_cast<float>(random.integer(-20, 20));  // with many equal ones
    }
    const auto combined = trimmed_mean_of(deltas, 0.25);
    for (size_t i = 0; i < combined.size(); ++i) {
      std::vector<float> column;
      for (const auto& delta : deltas) column.push_back(delta[i]);
      std::sort(column.begin(), column.end());
      double sum = 0;
      for (size_t k = shards / 4; k < shards - shards / 4; ++k) sum += static_cast<double>(column[k]);
      const auto expected = static_cast<float>(sum / static_cast<double>(shards - 2 * (shards / 4)));
      if (combined[i] != expected) FAIL("element " << i << " is " << combined[i] << ", wanted " << expected);
    }
    CHECK(trimmed_mean_of(deltas, 0.25, 3) == combined);
  }
}

TEST_CASE("what is not finite is left out while most shards are; else it is refused, naming a shard") {
  CHECK(trimmed_mean_of({{1, 2}, {3, NAN}, {5, 4}}, 0) == std::vector<float>{3, 3});
  CHECK_THROWS_WITH(trimmed_mean_of({{1, 2}, {1, NAN}, {1, -INFINITY}}, 0.2),
                    "2 of 3 shards, shard 2 among them, have a value that is not finite: the others are no "
                    "majority");
}

}  // namespace
