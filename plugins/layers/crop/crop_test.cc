#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kCrop = linked("plait.crop");

}  // namespace

// Rows 1 and 2 of 4, columns 0 and 1 of 3; by PyTorch 2.15.
TEST_CASE("crop of the middle") {
  TestHost host;
  LayerTest layer(host, kCrop, Settings(kCrop).set("size", 2), {{"x", DType::f32, {1, 4, 3, 2}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3, 2, 2, -3, -2, 5, -4, 4, -4, 5, -2, -3, 2, 2, -3, -2, 5, -4, 4});
  layer.output_gradients[0].fill({-1, -4, -1, -3, 1, 0, 5, 5});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {2, 2, -3, -2, 4, -4, 5, -2};
  const std::vector<float> dx = {0, 0, 0, 0, 0, 0, -1, -4, -1, -3, 0, 0, 1, 0, 5, 5, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{1, 2, 2, 2});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

// PyTorch 2.15.
TEST_CASE("crop from an offset on") {
  TestHost host;
  LayerTest layer(host, kCrop,
                  Settings(kCrop).set("size", 1).add("size", 2).set("offset", 0).add("offset", 1),
                  {{"x", DType::f32, {2, 2, 3, 1}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3, 2, 2, -3, -2, 5, -4});
  layer.output_gradients[0].fill({-1, -4, -1, -3});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {4, -4, 2, -3};
  const std::vector<float> dx = {0, -1, -4, 0, 0, 0, 0, -1, -3, 0, 0, 0};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{2, 1, 2, 1});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

// Images of 1 x 4, 3 x 2 and 3 x 4 in room for 3 x 4: of each its own middle, 1 x 2.
TEST_CASE("crop of images of several sizes: the middle of each, and the gradient goes there") {
  TestHost host;
  LayerTest layer(host, kCrop, Settings(kCrop).set("size", 1).add("size", 2),
                  {{"x", DType::f32, {3, 3, 4, 1}, 1, 2}});
  layer.input().lengths = {1, 3, 3}, layer.input().second_lengths = {4, 2, 4};
  layer.input_gradients[0].lengths = {1, 3, 3}, layer.input_gradients[0].second_lengths = {4, 2, 4};
  layer.input().fill({1, 2, 3, 4, 0, 0, 0, 0, 0, 0,  0,  0,  //
                      1, 2, 0, 0, 3, 4, 0, 0, 5, 6,  0,  0,  //
                      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  layer.output_gradients[0].fill({-1, -2, -3, -4, -5, -6});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {2, 3, 3, 4, 6, 7};
  const std::vector<float> dx = {0, -1, -2, 0, 0,  0,  0,  0, 0, 0, 0, 0,  //
                                 0, 0,  0,  0, -3, -4, 0,  0, 0, 0, 0, 0,  //
                                 0, 0,  0,  0, 0,  -5, -6, 0, 0, 0, 0, 0};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{3, 1, 2, 1});
  CHECK(layer.output().spec().variable_axis == -1);
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

TEST_CASE("crop names a sample that is too small for it") {
  TestHost host;
  LayerTest layer(host, kCrop, Settings(kCrop).set("size", 2), {{"x", DType::f32, {2, 3, 4, 1}, 1, 2}});
  layer.input().randomize(1);
  layer.input().lengths = {3, 2}, layer.input().second_lengths = {4, 1};
  CHECK_THROWS_WITH_AS(
      layer.forward(),
      doctest::Contains("sample 1 of the batch: cannot keep 2 from 0 on of its 1 along spatial axis 1"),
      std::runtime_error);
}

TEST_CASE("crop gradients, and the same for any lanes") {
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kCrop, Settings(kCrop).set("size", 3), {{"x", DType::f32, {5, 4, 6, 7}}});
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
      LayerTest layer(host, kCrop, Settings(kCrop).set("size", 2), {{"x", DType::f32, {3, 4, 5, 3, 2}}});
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

TEST_CASE("crop refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kCrop, Settings(kCrop).set("size", 4), {{"x", DType::f32, {1, 3, 2}}}),
                       doctest::Contains("cannot keep 4 from 0 on of the 3 along spatial axis 0"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kCrop, Settings(kCrop).set("size", 2).set("offset", 2), {{"x", DType::f32, {1, 3, 2}}}),
      doctest::Contains("cannot keep 2 from 2 on of the 3 along spatial axis 0"), std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kCrop, Settings(kCrop).set("size", 2), {{"x", DType::f32, {4, 5}}}),
                       doctest::Contains("input is f32[4, 5], wanted f32 [N, W, C]"), std::runtime_error);
}
