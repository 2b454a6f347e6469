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
  CHECK(weight_of(70000, 1) == 70000);
  CHECK(weight_of(INT32_MAX, 1) == INT32_MAX);
  CHECK(weight_of(0, 1) == 1);
  CHECK(weight_of(149, 100) == 1);
  CHECK(weight_of(150, 100) == 2);
}

TEST_CASE("more than a weight can be is an error that says what to do") {
  CHECK_THROWS_WITH(
      weight_of(4294967295, 1),
      "shard 3 has 4294967295 samples in a round, weight 4294967295 of at most 2147483647: set unit "
      "to 3 or more");
  CHECK(weight_of(4294967295, 3) == 1431655765);
  CHECK_THROWS_WITH(
      weight_of(INT64_MAX, 1),
      "shard 3 has 9223372036854775807 samples in a round, weight 9223372036854775807 of at most "
      "2147483647: set unit to 4294967299 or more");
}

}  // namespace
