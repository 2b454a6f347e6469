#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kAdaptive = linked("plait.adaptive_max_pool");

}  // namespace

// PyTorch 2.15.
TEST_CASE("adaptive_max_pool of windows that overlap") {
  TestHost host;
  LayerTest layer(host, kAdaptive, Settings(kAdaptive).set("size", 2).add("size", 3),
                  {{"x", DType::f32, {1, 3, 4, 2}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3, 2, 2, -3, -2, 5, -4, 4, -4, 5, -2, -3, 2, 2, -3, -2, 5, -4, 4});
  layer.output_gradients[0].fill({-1, -4, -1, -3, 1, 0, 5, 5, 0, 1, -3, -1});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {5, 5, 5, 5, 5, 2, 5, 2, 5, 5, 5, 5};
  const std::vector<float> dx = {0, 0, 0, -7, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, -2, 0, 0, 5, 0, 0, 0, 0, 0, 0};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{1, 2, 3, 2});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

// PyTorch 2.15.
TEST_CASE("adaptive_max_pool makes more numbers than it has") {
  TestHost host;
  LayerTest layer(host, kAdaptive, Settings(kAdaptive).set("size", 5), {{"x", DType::f32, {1, 3, 1}}});
  layer.input().fill({-4, 4, -4});
  layer.output_gradients[0].fill({-1, -4, -1, -3, 1});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-4, 4, 4, 4, -4};
  const std::vector<float> dx = {-1, -8, 1};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{1, 5, 1});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

// By hand: the larger of 1, 2 and of 7, 3.
TEST_CASE("adaptive_max_pool of windows that do not overlap, and of NaN") {
  TestHost host;
  LayerTest layer(host, kAdaptive, Settings(kAdaptive).set("size", 3), {{"x", DType::f32, {1, 6, 1}}});
  layer.input().fill({1, 2, 7, 3, NAN, 5});
  layer.forward();
  CHECK(layer.output().f32()[0] == 2);
  CHECK(layer.output().f32()[1] == 7);
  CHECK(std::isnan(layer.output().f32()[2]));
}

TEST_CASE("adaptive_max_pool gradients, and the same for any lanes") {
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kAdaptive, Settings(kAdaptive).set("size", 3), {{"x", DType::f32, {5, 4, 7, 7}}});
      const size_t count = layer.input().f32().size();  // numbers apart by more than the step of differences
      for (size_t i = 0; i < count; ++i) layer.input().f32()[i] = static_cast<float>(i * 37 % count) / 20;
      CHECK(layer.gradient_error(40) < 1e-3);
      const Out y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      if (lanes == 1) of_one.assign(y.begin(), y.end());
      CHECK(std::equal(y.begin(), y.end(), of_one.begin()));
      const std::vector<float> once(dx.begin(), dx.end());
      layer.accumulate = layer.accumulates;
      layer.backward();
      for (size_t i = 0; i < once.size() && layer.accumulate; ++i)
        CHECK(dx[i] == doctest::Approx(2 * once[i]));
    }
  }
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kAdaptive, Settings(kAdaptive).set("size", 2),
                      {{"x", DType::f32, {2, 3, 5, 4, 3}}});
      const size_t count = layer.input().f32().size();  // numbers apart by more than the step of differences
      for (size_t i = 0; i < count; ++i) layer.input().f32()[i] = static_cast<float>(i * 37 % count) / 20;
      CHECK(layer.gradient_error(40) < 1e-3);
      const Out y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      if (lanes == 1) of_one.assign(y.begin(), y.end());
      CHECK(std::equal(y.begin(), y.end(), of_one.begin()));
      const std::vector<float> once(dx.begin(), dx.end());
      layer.accumulate = layer.accumulates;
      layer.backward();
      for (size_t i = 0; i < once.size() && layer.accumulate; ++i)
        CHECK(dx[i] == doctest::Approx(2 * once[i]));
    }
  }
}

TEST_CASE("adaptive_max_pool refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kAdaptive, Settings(kAdaptive).set("size", 2), {{"x", DType::f32, {4, 5}}}),
      doctest::Contains("input is f32[4, 5], wanted f32 [N, W, C]"), std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kAdaptive, Settings(kAdaptive).set("size", 2).add("size", 2),
                                 {{"x", DType::f32, {4, 5, 3}}}),
                       doctest::Contains("size has 2 values, wanted 1, or 1, one per axis"),
                       std::runtime_error);
}
