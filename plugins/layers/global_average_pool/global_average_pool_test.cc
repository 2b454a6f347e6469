#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include "cuda_work.hpp"

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kPool = linked("plait.global_average_pool");

LayerTest make(TestHost& host, std::vector<int64_t> shape, int first = -1, int second = -1) {
  return LayerTest(host, kPool, Settings(kPool),
                   {PartSpec("x", DType::f32, std::move(shape), first, second)});
}

}  // namespace

TEST_CASE("global_average_pool is the mean over all places") {
  TestHost host;
  LayerTest layer = make(host, {2, 1, 3, 2});
  CHECK(layer.output().spec().shape == std::vector<int64_t>{2, 2});
  layer.input().fill({1, 10, 2, 20, 6, 60, 0, 4, 0, 5, 0, 6});
  layer.forward();
  const std::vector<float> wanted = {3, 30, 0, 5};
  for (size_t i = 0; i < 4; ++i) CHECK(layer.output().f32()[i] == wanted[i]);
}

TEST_CASE("global_average_pool looks at the places that a sample has, and at no other") {
  TestHost host;
  LayerTest layer = make(host, {2, 2, 3, 1}, 1, 2);
  layer.input().fill({1, 3, 99, 99, 99, 99, 7, 99, 99, 9, 99, 99});
  layer.inputs[0].lengths = {1, 2}, layer.inputs[0].second_lengths = {2, 1};
  layer.forward();
  CHECK(layer.output().f32()[0] == 2);
  CHECK(layer.output().f32()[1] == 8);
  layer.output_gradients[0].fill({2, 4});
  layer.backward();
  const std::vector<float> wanted = {1, 1, 0, 0, 0, 0, 2, 0, 0, 2, 0, 0};
  for (size_t i = 0; i < 12; ++i) CHECK(layer.input_gradients[0].f32()[i] == wanted[i]);
}

TEST_CASE("a sample without places has zeros, and gives none back") {
  TestHost host;
  LayerTest layer = make(host, {2, 3, 1}, 1);
  layer.inputs[0].lengths = {0, 3};
  layer.forward();
  CHECK(layer.output().f32()[0] == 0);
  layer.output_gradients[0].fill({1, 3});
  layer.backward();
  for (size_t i = 0; i < 6; ++i) CHECK(layer.input_gradients[0].f32()[i] == (i < 3 ? 0 : 1));
}

TEST_CASE("global_average_pool gradients") {
  for (const int lanes : {1, 2}) {
    TestHost host;
    host.lanes = lanes;
    CHECK(make(host, {3, 4, 5, 2}).gradient_error(200) < 1e-3);
    CHECK(make(host, {2, 7, 70}).gradient_error(200) < 1e-3);
    CHECK(make(host, {2, 3, 2, 4, 3}).gradient_error(200) < 1e-3);
  }
}

TEST_CASE("the card's threads do what the host does") {
  TestHost host;
  for (const auto& [shape, first, second] : {std::tuple{std::vector<int64_t>{3, 4, 5, 2}, 1, 2},
                                             std::tuple{std::vector<int64_t>{3, 6, 2, 5, 3}, 1, 3}}) {
    LayerTest layer = make(host, shape, first, second);
    layer.inputs[0].lengths = {4, 1, 2}, layer.inputs[0].second_lengths = {2, 5, 1};
    layer.forward();
    layer.output_gradients[0].randomize(5);
    layer.backward();
    const layers::PooledBatch of{layers::PooledPlaces(layer.input().view()), 3,
                                 static_cast<uint64_t>(shape.back()), layer.inputs[0].lengths.data(),
                                 layer.inputs[0].second_lengths.data()};
    const Out y = layer.output().f32(), dx = layer.input_gradients[0].f32();
    std::vector<float> own_y(y.size()), own_dx(dx.size());
    for (size_t i = 0; i < y.size(); ++i) {
      layers::PoolForward{of, layer.input().f32().data(), own_y.data()}(i);
      layers::PoolBackward{of, layer.output_gradients[0].f32().data(), own_dx.data()}(i);
    }
    CHECK(std::equal(y.begin(), y.end(), own_y.begin()));
    CHECK(std::equal(dx.begin(), dx.end(), own_dx.begin()));
  }
}

TEST_CASE("global_average_pool says what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(make(host, {2, 5}), doctest::Contains("wanted f32 [N, ..., C]"), std::runtime_error);
  CHECK_THROWS_WITH_AS(make(host, {2, 5, 3}, 2), doctest::Contains("axis 2"), std::runtime_error);
}
