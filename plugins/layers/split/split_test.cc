#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {
const Entry kSplit = linked("plait.split");
}

TEST_CASE("split cuts channels into outputs") {
  TestHost host;
  LayerTest layer(host, kSplit, Settings(kSplit).add("channels", 2).add("channels", 3),
                  {{"x", DType::f32, {4, 5}}});
  layer.forward();
  for (size_t r = 0; r < 4; ++r) {
    for (size_t k = 0; k < 2; ++k) CHECK(layer.output(0).f32()[2 * r + k] == layer.input().f32()[5 * r + k]);
    for (size_t k = 0; k < 3; ++k)
      CHECK(layer.output(1).f32()[3 * r + k] == layer.input().f32()[5 * r + 2 + k]);
  }
  CHECK(layer.gradient_error() < 1e-3);
}

TEST_CASE("split wants all channels") {
  TestHost host;
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kSplit, Settings(kSplit).add("channels", 2), {{"x", DType::f32, {4, 5}}}),
      doctest::Contains("channels sum to 2, wanted the input's 5"), std::runtime_error);
}
