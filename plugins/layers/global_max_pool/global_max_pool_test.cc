#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kGlobal = linked("plait.global_max_pool");

}  // namespace

// PyTorch 2.15; no two are equal.
TEST_CASE("global_max_pool of pictures") {
  TestHost host;
  LayerTest layer(host, kGlobal, Settings(kGlobal), {{"x", DType::f32, {2, 2, 3, 2}}});
  layer.input().fill(
      {-12, -5, 2, 9, -8, -1, 6, -11, -4, 3, 10, -7, 0, 7, -10, -3, 4, 11, -6, 1, 8, -9, -2, 5});
  layer.output_gradients[0].fill({-1, -4, -1, -3});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {10, 9, 8, 11};
  const std::vector<float> dx = {-0, -0, -0, -4, -0, -0, -0, -0, -0, -0, -1, -0,
                                 -0, -0, -0, -0, -0, -3, -0, -0, -1, -0, -0, -0};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{2, 2});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

// By hand: the first two steps, and none.
TEST_CASE("global_max_pool looks at no more steps than a sample has") {
  TestHost host;
  LayerTest layer(host, kGlobal, Settings(kGlobal), {{"x", DType::f32, {2, 3, 2}, 1}});
  layer.inputs[0].lengths = layer.input_gradients[0].lengths = {2, 0};
  layer.input().fill({1, -5, 2, -7, 99, 99, 99, 99, 99, 99, 99, 99});
  layer.output_gradients[0].fill({3, 4, 5, 6});
  layer.forward();
  layer.backward();
  CHECK(std::ranges::equal(layer.output().f32(), std::vector<float>{2, -5, 0, 0}));
  CHECK(std::ranges::equal(layer.input_gradients[0].f32(),
                           std::vector<float>{0, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST_CASE("global_max_pool passes NaN and minus infinity on") {
  TestHost host;
  LayerTest layer(host, kGlobal, Settings(kGlobal), {{"x", DType::f32, {1, 3, 3}}});
  layer.input().fill({1, NAN, -INFINITY, 2, 3, -INFINITY, NAN, 4, -INFINITY});
  layer.forward();
  CHECK(std::isnan(layer.output().f32()[0]));
  CHECK(std::isnan(layer.output().f32()[1]));
  CHECK(layer.output().f32()[2] == -INFINITY);
}

TEST_CASE("global_max_pool gradients, and the same for any lanes") {
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kGlobal, Settings(kGlobal), {{"x", DType::f32, {5, 4, 6, 7}}});
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
      LayerTest layer(host, kGlobal, Settings(kGlobal), {{"x", DType::f32, {2, 30, 33}}});
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

TEST_CASE("global_max_pool refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kGlobal, Settings(kGlobal), {{"x", DType::f32, {4, 5}}}),
                       doctest::Contains("input is f32[4, 5], wanted f32 [N, W, C]"), std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kGlobal, Settings(kGlobal), {{"x", DType::f32, {4, 0, 3}}}),
                       doctest::Contains("of 0 places"), std::runtime_error);
}
