#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kLeakyRelu = linked("plait.leaky_relu");
const std::vector<float> kX = {-6, -3, -1.5f, -1, -0.25f, 0, 0.25f, 1, 2.5f, 6};

}  // namespace

// By hand: -2 / 100.
TEST_CASE("leaky_relu of one number") {
  CHECK(outputs_of(kLeakyRelu, Settings(kLeakyRelu), {-2})[0] == doctest::Approx(-0.02).epsilon(1e-6));
}

// Values of PyTorch 2.15, leaky_relu; both are off by some roundings of f32.
TEST_CASE("leaky_relu is PyTorch's") {
  const std::vector<float> y = {
      -0.0599999987f, -0.0299999993f, -0.0149999997f, -0.00999999978f, -0.00249999994f, 0, 0.25f, 1, 2.5f, 6};
  const std::vector<float> dx = {0.00999999978f,
                                 0.00999999978f,
                                 0.00999999978f,
                                 0.00999999978f,
                                 0.00999999978f,
                                 0.00999999978f,
                                 1,
                                 1,
                                 1,
                                 1};
  CHECK(distance(outputs_of(kLeakyRelu, Settings(kLeakyRelu), kX), y) <= 4e-7);
  CHECK(distance(slopes_of(kLeakyRelu, Settings(kLeakyRelu), kX), dx) <= 4e-7);
}

TEST_CASE("leaky_relu is relu with a slope, to the bit") {
  CHECK(activation_error(kLeakyRelu, Settings(kLeakyRelu).set("slope", 0.25),
                         [](double x) { return x > 0 ? x : x / 4; }) == 0);
  CHECK(activation_gradient_error(kLeakyRelu, Settings(kLeakyRelu).set("slope", 0.5)) < 1e-3);
}

TEST_CASE("leaky_relu hides neither NaN nor infinity") {
  const std::vector<float> y = outputs_of(kLeakyRelu, Settings(kLeakyRelu), {NAN, INFINITY, -INFINITY});
  CHECK(std::isnan(y[0]));
  CHECK(y[1] == INFINITY);
  CHECK(y[2] == -INFINITY);
}

TEST_CASE("leaky_relu is absorbed as relu, and in place") {
  TestHost host;
  const LayerTest layer(host, kLeakyRelu, Settings(kLeakyRelu), {{"x", DType::f32, {3}}});
  CHECK(layer.epilogue == "relu");
  CHECK(layer.in_place);
}

TEST_CASE("leaky_relu's own loops are oneDNN's function") {
  CHECK(twin_distance(kLeakyRelu, Settings(kLeakyRelu)) <= 1e-6);
  CHECK(twin_passes_nan(kLeakyRelu, Settings(kLeakyRelu)));
}
