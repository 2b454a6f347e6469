#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kEmbedding = linked("plait.embedding");

}  // namespace

// PyTorch 2.15; of a row for padding this layer makes zeros, whatever its weights are.
TEST_CASE("embedding takes rows, and adds up their gradients") {
  TestHost host;
  LayerTest layer(host, kEmbedding, Settings(kEmbedding).set("rows", 4).set("units", 3).set("padding_row", 2),
                  {{"x", DType::i32, {2, 3}}});
  const std::vector<int32_t> x = {1, 3, 1, 0, 1, 2};
  std::ranges::copy(x, layer.input().data<int32_t>().begin());
  layer.parameters[0].fill({-3, 5, -3, -5, -1, -2, 3, 3, -2, -1, -5, -3});
  layer.output_gradients[0].fill({0, -3, 0, -2, 2, 1, -5, -5, 1, 2, -2, 0, -3, 0, -2, 2, 1, -5});
  layer.forward();
  layer.backward();
  CHECK(layer.output().spec().shape == std::vector<int64_t>{2, 3, 3});
  CHECK(layer.input_ranges == std::vector<LayerTest::InputRange>{{0, 0, 4}});
  CHECK(std::ranges::equal(layer.output().f32(), std::vector<float>{-5, -1, -2, -1, -5, -3, -5, -1, -2, -3, 5,
                                                                    -3, -5, -1, -2, 0, 0, 0}));
  CHECK(std::ranges::equal(layer.parameter_gradients[0].f32(),
                           std::vector<float>{2, -2, 0, -8, -8, -1, 0, 0, 0, -2, 2, 1}));
}

TEST_CASE("embedding of sentences makes zeros past their lengths, and learns nothing there") {
  TestHost host;
  LayerTest layer(host, kEmbedding, Settings(kEmbedding).set("rows", 2).set("units", 1),
                  {{"x", DType::i32, {2, 3}, 1}});
  layer.inputs[0].lengths = {1, 3};
  CHECK(layer.output().spec().variable_axis == 1);
  const std::vector<int32_t> x = {0, 1, 1, 0, 0, 1};
  std::ranges::copy(x, layer.input().data<int32_t>().begin());
  layer.parameters[0].fill({5, 7});
  layer.output_gradients[0].fill({1, 10, 100, 2, 3, 4});
  layer.forward();
  layer.backward();
  CHECK(std::ranges::equal(layer.output().f32(), std::vector<float>{5, 0, 0, 5, 5, 7}));
  CHECK(std::ranges::equal(layer.parameter_gradients[0].f32(), std::vector<float>{6, 4}));
}

TEST_CASE("embedding does not depend on lanes") {
  const auto run = [](int lanes) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kEmbedding, Settings(kEmbedding).set("rows", 9).set("units", 100),
                    {{"x", DType::i32, {20, 30}}});
    for (size_t i = 0; i < 600; ++i) layer.input().data<int32_t>()[i] = static_cast<int32_t>(i * i % 9);
    layer.output_gradients[0].randomize(3);
    layer.forward();
    layer.backward();
    const Out dw = layer.parameter_gradients[0].f32();
    return std::vector<float>(dw.begin(), dw.end());
  };
  CHECK(run(1) == run(2));
}

TEST_CASE("embedding refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kEmbedding, Settings(kEmbedding).set("rows", 4).set("units", 3),
                                 {{"x", DType::f32, {4, 2}}}),
                       doctest::Contains("input is f32[4, 2], wanted i32 [N, ...]"), std::runtime_error);
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kEmbedding, Settings(kEmbedding).set("rows", 4).set("units", 3).set("padding_row", 4),
                {{"x", DType::i32, {4, 2}}}),
      doctest::Contains("padding_row is 4, wanted less than the 4 rows"), std::runtime_error);
}
