#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kSlice = linked("plait.slice");

}  // namespace

// By hand: channels 1 and 2 of 4.
TEST_CASE("slice of the channels") {
  TestHost host;
  LayerTest layer(host, kSlice, Settings(kSlice).set("begin", 1).set("end", 3),
                  {{"x", DType::f32, {2, 2, 4}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3, 2, 2, -3, -2, 5, -4, 4, -4, 5, -2});
  layer.output_gradients[0].fill({-1, -4, -1, -3, 1, 0, 5, 5});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {4, -4, -3, 2, -2, 5, -4, 5};
  const std::vector<float> dx = {0, -1, -4, 0, 0, -1, -3, 0, 0, 1, 0, 0, 0, 5, 5, 0};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{2, 2, 2});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

// By hand: the last two of three.
TEST_CASE("slice of an axis between, counted from the end") {
  TestHost host;
  LayerTest layer(host, kSlice, Settings(kSlice).set("axis", 1).set("begin", -2),
                  {{"x", DType::f32, {2, 3, 2}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3, 2, 2, -3, -2, 5, -4});
  layer.output_gradients[0].fill({-1, -4, -1, -3, 1, 0, 5, 5});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-4, 5, -2, -3, -3, -2, 5, -4};
  const std::vector<float> dx = {0, 0, -1, -4, -1, -3, 0, 0, 1, 0, 5, 5};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{2, 2, 2});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

TEST_CASE("slice gradients, and the same for any lanes") {
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kSlice, Settings(kSlice).set("axis", 2).set("begin", 1).set("end", -1),
                      {{"x", DType::f32, {5, 4, 6, 7}}});
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
      LayerTest layer(host, kSlice, Settings(kSlice).set("end", 3), {{"x", DType::f32, {300, 70}}});
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

TEST_CASE("slice refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kSlice, Settings(kSlice).set("begin", 3), {{"x", DType::f32, {1, 3}}}),
                       doctest::Contains("cannot keep 3 to 0 of an extent of 3: that is 3 to 3"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kSlice, Settings(kSlice).set("end", 9), {{"x", DType::f32, {1, 3}}}),
                       doctest::Contains("cannot keep 0 to 9 of an extent of 3"), std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kSlice, Settings(kSlice).set("axis", 0), {{"x", DType::f32, {4, 5}}}),
                       doctest::Contains("axis 0 of f32[4, 5] cannot be sliced: wanted 1 to 1, or -1 to -1"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kSlice, Settings(kSlice).set("axis", 5), {{"x", DType::f32, {4, 5}}}),
                       doctest::Contains("axis 5 of f32[4, 5] cannot be sliced"), std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kSlice, Settings(kSlice), {{"x", DType::f32, {4}}}),
                       doctest::Contains("input is f32[4], wanted f32 [N, ...]"), std::runtime_error);
}
