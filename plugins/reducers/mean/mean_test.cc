#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk::testing;

TEST_CASE("every shard weighs the same, whatever it did; the default of its kind") {
  TestHost host;
  const auto entry = linked("plait.mean");
  CHECK((entry.type.flags & PLAIT_TYPE_DEFAULT_OF_KIND) != 0);
  const Made<plait_reducer_ops> mean(host, entry);
  CHECK(!mean.ops().combine);
  for (const int64_t samples : {0, 1, 1'000'000}) {
    const plait_shard_result result{sizeof result, 4, 2, 0, samples, 0.5};
    int32_t weight = 0;
    host.check(mean.ops().weight(mean.self(), host.context(), &result, &weight));
    CHECK(weight == 1);
  }
}
