#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {
const Entry kSplit = linked("plait.split");
}

TEST_CASE("split cuts the channels, and joins gradients") {
  for (const int lanes : {1, 2}) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kSplit, Settings(kSplit).set("channels", 2), {{"x", DType::f32, {2, 3, 5}}});
    REQUIRE(layer.outputs.size() == 2);
    CHECK(layer.outputs[0].spec().shape == std::vector<int64_t>{2, 3, 2});
    CHECK(layer.outputs[1].spec().shape == std::vector<int64_t>{2, 3, 3});
    layer.forward();
    for (size_t row = 0; row < 6; ++row) {
      for (size_t c = 0; c < 5; ++c) {
        const float y = c < 2 ? layer.outputs[0].f32()[row * 2 + c] : layer.outputs[1].f32()[row * 3 + c - 2];
        CHECK(y == layer.input().f32()[row * 5 + c]);
      }
    }
    CHECK(layer.gradient_error(30) < 1e-3);
  }
}

TEST_CASE("split leaves some channels") {
  TestHost host;
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kSplit, Settings(kSplit).set("channels", 5), {{"x", DType::f32, {2, 5}}}),
      doctest::Contains("cannot take 5 of 5"), std::runtime_error);
}
