#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {
const Entry kAdd = linked("plait.add");
}

TEST_CASE("add sums any number of inputs") {
  for (int lanes : {1, 2}) {
    TestHost host;
    host.lanes = lanes;
    const PartSpec x{"x", DType::f32, {3, 5, 7}};
    LayerTest layer(host, kAdd, Settings(kAdd), {x, x, x});
    layer.forward();
    for (size_t i = 0; i < 3 * 5 * 7; ++i)
      CHECK(layer.output().f32()[i] ==
            layer.input(0).f32()[i] + layer.input(1).f32()[i] + layer.input(2).f32()[i]);
    CHECK(layer.gradient_error() < 1e-3);
  }
}

TEST_CASE("add refuses shapes that differ") {
  TestHost host;
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kAdd, Settings(kAdd), {{"a", DType::f32, {3, 5}}, {"b", DType::f32, {3, 6}}}),
      doctest::Contains("wanted the shape of input 0"), std::runtime_error);
}
