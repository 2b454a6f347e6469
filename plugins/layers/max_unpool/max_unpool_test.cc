#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kUnpool = linked("plait.max_unpool");

}  // namespace

// PyTorch 2.15, max_unpool2d of max_pool2d's indices.
TEST_CASE("max_unpool puts numbers where max_pool took its own from") {
  TestHost host;
  LayerTest layer(host, kUnpool, Settings(kUnpool).set("kernel", 2),
                  {{"x", DType::f32, {1, 2, 2, 2}}, {"pooled", DType::f32, {1, 4, 4, 2}}});
  layer.input(0).fill({-4, 4, -4, 5, -2, -3, 2, 2});
  layer.input(1).fill({0,  7,  14, 21, 28, 3,  10, 17, 24, 31, 6,  13, 20, 27, 2,  9,
                       16, 23, 30, 5,  12, 19, 26, 1,  8,  15, 22, 29, 4,  11, 18, 25});
  layer.output_gradients[0].fill({-2, -5, -2, -4, 0, -1, 4,  4,  -1, 0,  -4, -2, -5, -2, -4, 0,
                                  -1, 4,  4,  -1, 0, -4, -2, -5, -2, -4, 0,  -1, 4,  4,  -1, 0});
  layer.forward();
  layer.backward();
  CHECK(std::ranges::equal(layer.output().f32(),
                           std::vector<float>{0, 0, 0,  0, -4, 0, 0, 0, -4, 4, 0, 0,  0, 5, 0, 0,
                                              0, 0, -2, 0, 0,  0, 2, 0, 0,  0, 0, -3, 0, 0, 0, 2}));
  CHECK(std::ranges::equal(layer.input_gradients[0].f32(), std::vector<float>{-1, 0, 0, -2, 4, -1, -2, 0}));
  for (const float dx : layer.input_gradients[1].f32()) CHECK(dx == 0);
}

// By hand: both windows of 2, 9, 1 have 9 as their largest.
TEST_CASE("max_unpool adds numbers that meet, takes the first of equal ones, and NaN as the largest") {
  TestHost host;
  LayerTest layer(host, kUnpool, Settings(kUnpool).set("kernel", 2).set("stride", 1),
                  {{"x", DType::f32, {3, 2, 1}}, {"pooled", DType::f32, {3, 3, 1}}});
  layer.input(0).fill({3, 4, 3, 4, 3, 4});
  layer.input(1).fill({2, 9, 1, 5, 5, 5, 1, NAN, 8});
  layer.forward();
  CHECK(std::ranges::equal(layer.output().f32(), std::vector<float>{0, 7, 0, 3, 4, 0, 0, 7, 0}));
}

TEST_CASE("max_unpool undoes max_pool where all else is smaller, for any lanes") {
  for (const int lanes : {1, 2}) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kUnpool, Settings(kUnpool).set("kernel", 3).set("stride", 2).set("padding", 1),
                    {{"x", DType::f32, {40, 5, 6, 7}}, {"pooled", DType::f32, {40, 9, 11, 7}}});
    const size_t count = layer.input(1).f32().size();
    for (size_t i = 0; i < count; ++i) layer.input(1).f32()[i] = static_cast<float>(i * 37 % count) / 20;
    CHECK(layer.gradient_error(30) < 1e-3);
    double in = 0, out = 0;
    for (float& value : layer.input(0).f32()) in += value = std::round(value * 100);
    layer.forward();
    for (const float value : layer.output().f32()) out += value;
    CHECK(in == out);  // whole numbers: none is lost
  }
}

TEST_CASE("max_unpool refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kUnpool, Settings(kUnpool).set("kernel", 2),
                {{"x", DType::f32, {1, 3, 2}}, {"pooled", DType::f32, {1, 4, 2}}}),
      doctest::Contains(
          "input 0 is f32[1, 3, 2], wanted f32[1, 2, 2], what a max_pool makes of f32[1, 4, 2]"),
      std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kUnpool, Settings(kUnpool).set("kernel", 5),
                                 {{"x", DType::f32, {1, 3, 2}}, {"pooled", DType::f32, {1, 4, 2}}}),
                       doctest::Contains("kernel 5 is larger than the input 4"), std::runtime_error);
}
