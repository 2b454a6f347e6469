#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {
const Entry kConcat = linked("plait.concat");
}

TEST_CASE("concat puts channels side by side") {
  TestHost host;
  LayerTest layer(host, kConcat, Settings(kConcat),
                  {{"a", DType::f32, {2, 3, 2}}, {"b", DType::f32, {2, 3, 1}}});
  layer.forward();
  CHECK(layer.output().spec().shape == std::vector<int64_t>{2, 3, 3});
  for (size_t r = 0; r < 6; ++r) {
    CHECK(layer.output().f32()[3 * r] == layer.input(0).f32()[2 * r]);
    CHECK(layer.output().f32()[3 * r + 1] == layer.input(0).f32()[2 * r + 1]);
    CHECK(layer.output().f32()[3 * r + 2] == layer.input(1).f32()[r]);
  }
  CHECK(layer.gradient_error() < 1e-3);
}

TEST_CASE("concat refuses other extents") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kConcat, Settings(kConcat),
                                 {{"a", DType::f32, {2, 3, 2}}, {"b", DType::f32, {2, 4, 2}}}),
                       doctest::Contains("but for the last"), std::runtime_error);
}
