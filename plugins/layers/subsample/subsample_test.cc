#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kSubsample = linked("plait.subsample");

}  // namespace

// PyTorch 2.15, w sum + b by its avg_pool2d; halves and quarters of whole numbers are exact.
TEST_CASE("subsample of windows of 2 x 2, and its gradients") {
  TestHost host;
  LayerTest layer(host, kSubsample, Settings(kSubsample).set("kernel", 2), {{"x", DType::f32, {1, 4, 4, 2}}});
  layer.input().fill({-4, 4, -4, 5,  -2, -3, 2,  2, -3, -2, 5,  -4, 4, -4, 5,  -2,
                      -3, 2, 2,  -3, -2, 5,  -4, 4, -4, 5,  -2, -3, 2, 2,  -3, -2});
  layer.parameters[0].fill({0.5f, -0.25f});
  layer.parameters[1].fill({1, 2});
  layer.output_gradients[0].fill({-1, -4, -1, -3, 1, 0, 5, 5});
  layer.forward();
  layer.backward();
  CHECK(std::ranges::equal(layer.output().f32(),
                           std::vector<float>{-2, 1.25f, 5.5f, 3.75f, -2.5f, 1.75f, -2.5f, -0.25f}));
  CHECK(std::ranges::equal(
      layer.input_gradients[0].f32(),
      std::vector<float>{-0.5f, 1,      -0.5f, 1,     -0.5f, 0.75f, -0.5f, 0.75f,  -0.5f, 1,     -0.5f,
                         1,     -0.5f,  0.75f, -0.5f, 0.75f, 0.5f,  0,     0.5f,   0,     2.5f,  -1.25f,
                         2.5f,  -1.25f, 0.5f,  0,     0.5f,  0,     2.5f,  -1.25f, 2.5f,  -1.25f}));
  CHECK(std::ranges::equal(layer.parameter_gradients[0].f32(), std::vector<float>{-45, 54}));
  CHECK(std::ranges::equal(layer.parameter_gradients[1].f32(), std::vector<float>{4, -2}));
}

TEST_CASE("subsample gradients, of windows that overlap and of padding, the same for any lanes") {
  for (const int64_t channels : {1, 5, 40}) {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kSubsample,
                      Settings(kSubsample).set("kernel", 3).set("stride", 2).set("padding", 1),
                      {{"x", DType::f32, {9, 16, 17, channels}}});
      CHECK(layer.gradient_error(30) < 1e-3);
      const Out dw = layer.parameter_gradients[0].f32();
      if (lanes == 1) of_one.assign(dw.begin(), dw.end());
      CHECK(std::ranges::equal(dw, of_one));
    }
  }
}

TEST_CASE("subsample in evaluation gives what it gives in training") {
  TestHost host;
  LayerTest layer(host, kSubsample, Settings(kSubsample).set("kernel", 2), {{"x", DType::f32, {3, 8, 8, 6}}});
  layer.forward();
  const Out y = layer.output().f32();
  const std::vector<float> trained(y.begin(), y.end());
  layer.training = false;
  layer.forward();
  CHECK(std::ranges::equal(y, trained));
}

TEST_CASE("subsample refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kSubsample, Settings(kSubsample).set("kernel", 5), {{"x", DType::f32, {1, 4, 4, 2}}}),
      doctest::Contains("kernel 5x5 is larger than the input 4x4"), std::runtime_error);
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kSubsample, Settings(kSubsample).set("kernel", 2), {{"x", DType::f32, {4, 2}}}),
      doctest::Contains("input is f32[4, 2]"), std::runtime_error);
}
