#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kPad = linked("plait.pad");

}  // namespace

// PyTorch 2.15.
TEST_CASE("pad with a constant") {
  TestHost host;
  LayerTest layer(
      host, kPad,
      Settings(kPad).set("before", 1).add("before", 0).set("after", 2).add("after", 1).set("value", 0.5),
      {{"x", DType::f32, {1, 2, 3, 2}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3, 2, 2, -3, -2, 5, -4});
  layer.output_gradients[0].fill({-1, -4, -1, -3, 1,  0,  5, 5, 0, 1, -3, -1, -4, -1, -3, 1,  0,  5, 5, 0,
                                  1,  -3, -1, -4, -1, -3, 1, 0, 5, 5, 0,  1,  -3, -1, -4, -1, -3, 1, 0, 5});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, -4,   4,
                                -4,   5,    -2,   -3,   0.5f, 0.5f, 2,    2,    -3,   -2,
                                5,    -4,   0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f,
                                0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f};
  const std::vector<float> dx = {0, 1, -3, -1, -4, -1, 0, 5, 5, 0, 1, -3};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{1, 5, 4, 2});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

// PyTorch 2.15.
TEST_CASE("pad with the number at the border") {
  TestHost host;
  LayerTest layer(host, kPad, Settings(kPad).set("before", 2).set("mode", std::string("edge")),
                  {{"x", DType::f32, {1, 3, 2}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3});
  layer.output_gradients[0].fill({-1, -4, -1, -3, 1, 0, 5, 5, 0, 1, -3, -1, -4, -1});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-4, 4, -4, 4, -4, 4, -4, 5, -2, -3, -2, -3, -2, -3};
  const std::vector<float> dx = {-1, -7, 5, 5, -7, -1};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{1, 7, 2});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

// PyTorch 2.15.
TEST_CASE("pad as in a mirror") {
  TestHost host;
  LayerTest layer(host, kPad,
                  Settings(kPad).set("before", 1).add("before", 2).set("mode", std::string("reflect")),
                  {{"x", DType::f32, {1, 2, 3, 1}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3});
  layer.output_gradients[0].fill(
      {-1, -4, -1, -3, 1, 0, 5, 5, 0, 1, -3, -1, -4, -1, -3, 1, 0, 5, 5, 0, 1, -3, -1, -4, -1, -3, 1, 0});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-3, -2, 5, -2, -3, -2, 5, -4, 4, -4, 4, -4, 4, -4,
                                -3, -2, 5, -2, -3, -2, 5, -4, 4, -4, 4, -4, 4, -4};
  const std::vector<float> dx = {-4, -8, -2, 5, -1, 2};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{1, 4, 7, 1});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

TEST_CASE("pad gradients, and the same for any lanes") {
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kPad, Settings(kPad).set("before", 3).set("mode", std::string("constant")),
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
      LayerTest layer(host, kPad, Settings(kPad).set("before", 3).set("mode", std::string("edge")),
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
      LayerTest layer(host, kPad, Settings(kPad).set("before", 3).set("mode", std::string("reflect")),
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
}

TEST_CASE("pad refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kPad, Settings(kPad).set("before", 3).set("mode", std::string("reflect")),
                {{"x", DType::f32, {1, 3, 2}}}),
      doctest::Contains("cannot reflect 3 of 3 along spatial axis 0: wanted less than there are"),
      std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kPad, Settings(kPad), {{"x", DType::f32, {4, 5}}}),
                       doctest::Contains("input is f32[4, 5], wanted f32 [N, W, C]"), std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kPad, Settings(kPad).set("before", 1).add("before", 1),
                                 {{"x", DType::f32, {1, 4, 4, 4, 2}}}),
                       doctest::Contains("before has 2 values, wanted 1, or 3, one per axis"),
                       std::runtime_error);
  for (const Settings& settings :
       {Settings(kPad).set("mode", std::string("edge")), Settings(kPad).set("value", 1.0)})
    CHECK_THROWS_WITH_AS(
        LayerTest(host, kPad, settings, {{"x", DType::f32, {2, 4, 3}, 1}}),
        doctest::Contains("axis 1 of the input varies, wanted fixed extents, or mode constant of value 0"),
        std::runtime_error);
}
