#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

TEST_CASE("flatten keeps order and passes gradients back") {
  TestHost host;
  const Entry flatten = linked("plait.flatten");
  LayerTest layer(host, flatten, Settings(flatten), {{"x", DType::f32, {2, 3, 2, 2}}});
  CHECK(layer.output().spec().shape == std::vector<int64_t>{2, 12});
  CHECK(layer.in_place);
  layer.output_gradients[0].randomize(3);
  layer.forward();
  layer.backward();
  for (size_t i = 0; i < 24; ++i) {
    CHECK(layer.output().f32()[i] == layer.input().f32()[i]);
    CHECK(layer.input_gradients[0].f32()[i] == layer.output_gradients[0].f32()[i]);
  }
}

TEST_CASE("flatten refuses a vector of samples") {
  TestHost host;
  const Entry flatten = linked("plait.flatten");
  CHECK_THROWS_WITH_AS(LayerTest(host, flatten, Settings(flatten), {{"x", DType::f32, {4}}}),
                       doctest::Contains("f32[4]"), std::runtime_error);
}
