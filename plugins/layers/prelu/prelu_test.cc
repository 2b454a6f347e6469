#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kPrelu = linked("plait.prelu");

}  // namespace

// By hand, and PyTorch 2.15 has the same.
TEST_CASE("prelu has a slope for each channel, and its gradient") {
  TestHost host;
  LayerTest layer(host, kPrelu, Settings(kPrelu), {{"x", DType::f32, {2, 3}}});
  layer.input().fill({-1, 2, -3, 4, -5, -6});
  layer.parameters[0].fill({0.25f, 0.5f, -0.1f});
  layer.output_gradients[0].fill({1, 2, 3, -1, 0.5f, 2});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-0.25f, 2, 0.3f, 4, -2.5f, 0.6f}, dx = {0.25f, 2, -0.3f, -1, 0.25f, -0.2f};
  CHECK(distance(layer.output().f32(), y) <= 1e-7);
  CHECK(distance(layer.input_gradients[0].f32(), dx) <= 1e-7);
  CHECK(layer.parameter_gradients[0].f32()[0] == -1);
  CHECK(layer.parameter_gradients[0].f32()[1] == -2.5f);
  CHECK(layer.parameter_gradients[0].f32()[2] == -21);
}

TEST_CASE("prelu of one slope adds up over all channels") {
  TestHost host;
  LayerTest layer(host, kPrelu, Settings(kPrelu).set("shared", true), {{"x", DType::f32, {2, 2}}});
  layer.input().fill({-1, 2, -3, -4});
  layer.parameters[0].fill({0.5f});
  layer.output_gradients[0].fill({1, 2, 3, 4});
  layer.forward();
  layer.backward();
  CHECK(layer.parameters[0].f32().size() == 1);
  CHECK(layer.output().f32()[3] == -2);
  CHECK(layer.parameter_gradients[0].f32()[0] == -1 - 9 - 16);
}

TEST_CASE("prelu gradients do not depend on lanes") {
  const auto run = [](int lanes) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kPrelu, Settings(kPrelu), {{"x", DType::f32, {40, 30, 17}}});
    layer.output_gradients[0].randomize(5);
    layer.forward();
    layer.backward();
    const Out dw = layer.parameter_gradients[0].f32();
    return std::vector<float>(dw.begin(), dw.end());
  };
  CHECK(run(1) == run(2));
}

TEST_CASE("prelu refuses what has no channels") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kPrelu, Settings(kPrelu), {{"x", DType::f32, {4}}}),
                       doctest::Contains("input is f32[4], wanted f32 [N, ..., C]"), std::runtime_error);
}
