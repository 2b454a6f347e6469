#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {
const Entry kBatchNorm = linked("plait.batch_norm");
}

TEST_CASE("batch_norm makes mean 0 and deviation 1, and keeps running statistics") {
  TestHost host;
  LayerTest layer(host, kBatchNorm, Settings(kBatchNorm).set("momentum", 0.5),
                  {{"x", DType::f32, {5, 3, 4}}});
  for (size_t c = 0; c < 4; ++c) layer.parameters[0].f32()[c] = 1, layer.parameters[1].f32()[c] = 0;
  for (size_t c = 0; c < 4; ++c) layer.buffers[0].f32()[c] = 0, layer.buffers[1].f32()[c] = 1;
  layer.forward();
  for (size_t c = 0; c < 4; ++c) {
    double sum = 0, squares = 0, in = 0, in_squares = 0;
    for (size_t r = 0; r < 15; ++r) {
      const double y = layer.output().f32()[r * 4 + c], x = layer.input().f32()[r * 4 + c];
      sum += y, squares += y * y, in += x, in_squares += x * x;
    }
    // Sums of 15 numbers of order 1 in f32: 15 x 2^-24 and a little.
    CHECK(std::abs(sum / 15) < 1e-5);
    CHECK(std::abs(squares / 15 - 1) < 1e-3);
    const double mean = in / 15, variance = in_squares / 15 - mean * mean;
    CHECK(layer.buffers[0].f32()[c] == doctest::Approx(0.5 * mean).epsilon(1e-5));
    CHECK(layer.buffers[1].f32()[c] ==
          doctest::Approx(0.5 + 0.5 * (variance * 15 / 14 + mean * mean)).epsilon(1e-5));
  }
}

TEST_CASE("batch_norm gradients, with and without scale and shift") {
  for (const bool affine : {true, false}) {
    TestHost host;
    LayerTest layer(host, kBatchNorm, Settings(kBatchNorm).set("affine", affine),
                    {{"x", DType::f32, {7, 3}}});
    CHECK(layer.gradient_error() < 2e-2);
  }
}
