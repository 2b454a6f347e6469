#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {
const Entry kAdd = linked("plait.add");
}

TEST_CASE("add sums its inputs and gives each the gradient") {
  for (const int lanes : {1, 2}) {
    for (const int64_t channels : {1, 7, 9001}) {
      TestHost host;
      host.lanes = lanes;
      const PartSpec x("x", DType::f32, {2, channels});
      LayerTest layer(host, kAdd, Settings(kAdd), {x, x, x});
      layer.forward();
      for (size_t i = 0; i < layer.output().f32().size(); ++i) {
        CHECK(layer.output().f32()[i] ==
              (layer.input(0).f32()[i] + layer.input(1).f32()[i]) + layer.input(2).f32()[i]);
      }
      CHECK(layer.gradient_error(5) < 1e-3);
      layer.accumulate = true;
      layer.backward();
      for (size_t i = 0; i < 2; ++i) {
        CHECK(layer.input_gradients[2].f32()[i] == 2 * layer.output_gradients[0].f32()[i]);
      }
    }
  }
}

TEST_CASE("add refuses inputs that differ") {
  TestHost host;
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kAdd, Settings(kAdd), {{"x", DType::f32, {2, 3}}, {"x", DType::f32, {2, 4}}}),
      doctest::Contains("input 1 is f32[2, 4], wanted f32[2, 3] like input 0"), std::runtime_error);
}
