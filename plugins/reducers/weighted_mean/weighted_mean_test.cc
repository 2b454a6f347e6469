#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk::testing;

namespace {

int32_t weight_of(int64_t samples, int unit) {
  TestHost host;
  const auto entry = linked("plait.weighted_mean");
  const Made<plait_reducer_ops> mean(host, entry, Settings(entry).set("unit", unit));
  const plait_shard_result result{sizeof result, 8, 3, 0, samples, 0.5};
  int32_t weight = 0;
  host.check(mean.ops().weight(mean.self(), host.context(), &result, &weight));
  return weight;
}

TEST_CASE("the weight is the number of samples, in units, and at least 1") {
  CHECK(weight_of(640, 1) == 640);
  CHECK(weight_of(65536, 1) == 65536);
  CHECK(weight_of(0, 1) == 1);
  CHECK(weight_of(149, 100) == 1);
  CHECK(weight_of(150, 100) == 2);
}

TEST_CASE("more than the exact sum takes is an error that says what to do") {
  CHECK_THROWS_WITH(
      weight_of(131073, 1),
      "shard 3 has 131073 samples in a round, weight 131073 of at most 65536: set unit to 3 or more");
  CHECK(weight_of(131073, 3) == 43691);
  CHECK_THROWS_WITH(
      weight_of(INT64_MAX, 1),
      "shard 3 has 9223372036854775807 samples in a round, weight 9223372036854775807 of at most "
      "65536: set unit to 140737488355328 or more");
}

}  // namespace
