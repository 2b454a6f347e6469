#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kBatchNorm = linked("plait.batch_norm");

}  // namespace

TEST_CASE("batch_norm gives every channel mean 0 and variance 1, and keeps running statistics") {
  TestHost host;
  LayerTest layer(host, kBatchNorm, Settings(kBatchNorm), {{"x", DType::f32, {7, 3, 5}}});
  std::fill(layer.parameters[0].f32().begin(), layer.parameters[0].f32().end(), 2.0f);
  std::fill(layer.parameters[1].f32().begin(), layer.parameters[1].f32().end(), 3.0f);
  std::fill(layer.buffers[0].f32().begin(), layer.buffers[0].f32().end(), 0.5f);
  layer.forward();
  for (size_t c = 0; c < 5; ++c) {
    double mean = 0, square = 0, x_mean = 0, x_square = 0;
    for (size_t r = 0; r < 21; ++r) {
      const double y = layer.output().f32()[r * 5 + c], x = layer.input().f32()[r * 5 + c];
      mean += y / 21, square += y * y / 21, x_mean += x / 21, x_square += x * x / 21;
    }
    CHECK(mean == doctest::Approx(3).epsilon(1e-5));
    // 2^2, but for epsilon in the denominator: variance / (variance + 1e-5).
    CHECK(square - mean * mean == doctest::Approx(4).epsilon(2e-4));
    CHECK(layer.buffers[0].f32()[c] == doctest::Approx(0.45 + 0.1 * x_mean).epsilon(1e-6));
    CHECK(layer.buffers[1].f32()[c] == doctest::Approx(0.9 + 0.1 * x_square).epsilon(1e-6));
  }
}

TEST_CASE("batch_norm evaluates with the running statistics and leaves them") {
  TestHost host;
  LayerTest layer(host, kBatchNorm, Settings(kBatchNorm).set("epsilon", 1.0), {{"x", DType::f32, {2, 1}}});
  layer.training = false;
  layer.input().fill({1, 5});
  layer.parameters[0].fill({10});
  layer.parameters[1].fill({7});
  layer.buffers[0].fill({1});
  layer.buffers[1].fill({4});  // variance 3, plus epsilon: deviation 2
  layer.forward();
  CHECK(layer.output().f32()[0] == 7);
  CHECK(layer.output().f32()[1] == 27);
  CHECK(layer.buffers[0].f32()[0] == 1);
  CHECK(layer.buffers[1].f32()[0] == 4);
}

TEST_CASE("batch_norm gradients") {
  for (const int lanes : {1, 2}) {
    for (const std::vector<int64_t>& shape : {std::vector<int64_t>{4, 3}, {2, 3, 3, 17}, {5, 2, 1}}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kBatchNorm, Settings(kBatchNorm).set("epsilon", 1e-2),
                      {{"x", DType::f32, shape}});
      CHECK(layer.gradient_error(100, 4e-3) < 2e-3);
    }
  }
}

TEST_CASE("batch_norm gives the same bits with one lane and with two") {
  const auto run = [](int lanes) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kBatchNorm, Settings(kBatchNorm), {{"x", DType::f32, {64, 9, 9, 6}}});
    layer.output_gradients[0].randomize(8);
    layer.forward();
    layer.backward();
    std::vector<float> all(layer.output().f32().begin(), layer.output().f32().end());
    all.insert(all.end(), layer.input_gradients[0].f32().begin(), layer.input_gradients[0].f32().end());
    return all;
  };
  CHECK(run(1) == run(2));
}
