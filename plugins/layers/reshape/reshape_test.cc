#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kReshape = linked("plait.reshape");

}  // namespace

TEST_CASE("reshape keeps the order of memory, and passes gradients back") {
  TestHost host;
  LayerTest layer(host, kReshape, Settings(kReshape).set("shape", 3).add("shape", -1),
                  {{"x", DType::f32, {2, 4, 6}}});
  CHECK(layer.output().spec().shape == std::vector<int64_t>{2, 3, 8});
  CHECK(layer.in_place);
  layer.output_gradients[0].randomize(3);
  layer.forward();
  layer.backward();
  CHECK(std::ranges::equal(layer.output().f32(), layer.input().f32()));
  CHECK(std::ranges::equal(layer.input_gradients[0].f32(), layer.output_gradients[0].f32()));
}

TEST_CASE("reshape without an extent that is left, and of whole numbers") {
  TestHost host;
  LayerTest layer(host, kReshape, Settings(kReshape).set("shape", 2).add("shape", 3),
                  {{"x", DType::i32, {4, 6}}});
  CHECK(layer.output().spec().shape == std::vector<int64_t>{4, 2, 3});
  for (int32_t& x : layer.input().data<int32_t>()) x = 7;
  layer.forward();
  for (const int32_t y : layer.output().data<int32_t>()) CHECK(y == 7);
}

TEST_CASE("reshape refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kReshape, Settings(kReshape).set("shape", 4).add("shape", -1),
                                 {{"x", DType::f32, {2, 6}}}),
                       doctest::Contains("cannot make [4, -1] of the 6 numbers of a sample of f32[2, 6]"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kReshape, Settings(kReshape).set("shape", 5), {{"x", DType::f32, {2, 6}}}),
      doctest::Contains("cannot make [5] of the 6 numbers"), std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kReshape, Settings(kReshape).set("shape", -1).add("shape", -1),
                                 {{"x", DType::f32, {2, 6}}}),
                       doctest::Contains("shape has -1 more than once"), std::runtime_error);
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kReshape, Settings(kReshape).set("shape", 0), {{"x", DType::f32, {2, 6}}}),
      doctest::Contains("shape has an extent of 0"), std::runtime_error);
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kReshape, Settings(kReshape).set("shape", 12), {{"x", DType::f32, {2, 4, 3}, 1}}),
      doctest::Contains("axis 1 of the input varies"), std::runtime_error);
}
