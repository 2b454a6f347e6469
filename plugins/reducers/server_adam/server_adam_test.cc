#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_reducer.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Values = std::vector<float>;

TEST_CASE("two rounds by hand, with moments kept between them") {
  TestHost host;
  const Entry entry = linked("plait.server_adam");
  WholeTest whole(host, entry,
                  Settings(entry).set("rate", 0.5).set("beta1", 0.5).set("beta2", 0.75).set("tau", 0.5),
                  {{"w", 1}, {"mean", 1, PLAIT_REDUCED_BUFFER}});
  CHECK(whole.states == std::vector<Values>{{0, 0}, {0.25f, 0.25f}});
  // D = 2: m = 1, v = 0.1875 + 1
  const Values first = whole.combine({{1, 4}, {3, 6}});
  CHECK(first[0] == doctest::Approx(0.5 * 1 / (std::sqrt(1.1875) + 0.5)));
  CHECK(first[1] == 5);
  CHECK(whole.states[0][0] == 1);
  CHECK(whole.states[1][0] == 1.1875f);
  // D = -1, the second shard failed: m = 0, v = 0.890625 + 0.25
  const Values second = whole.combine({{-1, 8}, {}});
  CHECK(second[0] == 0);
  CHECK(second[1] == 8);
  CHECK(whole.states[1][0] == doctest::Approx(1.140625));
}

TEST_CASE("no change stays none, and no result at all is refused") {
  TestHost host;
  const Entry entry = linked("plait.server_adam");
  WholeTest whole(host, entry, Settings(entry), 2);
  CHECK(whole.combine({{0, 0}, {0, 0}}) == Values{0, 0});
  CHECK_THROWS_WITH(whole.combine({{}, {}}), "none of 2 shards has a result to go by");
}

}  // namespace
