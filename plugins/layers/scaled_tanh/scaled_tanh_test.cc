#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kScaledTanh = linked("plait.scaled_tanh");
const std::vector<float> kX = {-6, -3, -1.5f, -1, -0.25f, 0, 0.25f, 1, 2.5f, 6};

}  // namespace

// By hand: tanh(ln 3 / 2) = 1 / 2, and 2 x / 3 = ln 3 / 2 at x = 0.82395922.
TEST_CASE("scaled_tanh of one number") {
  CHECK(outputs_of(kScaledTanh, Settings(kScaledTanh), {0.82395922f})[0] ==
        doctest::Approx(1.7159 * 0.5).epsilon(1e-6));
}

// Values of PyTorch 2.15, 1.7159 tanh(2 x / 3); both are off by some roundings of f32.
TEST_CASE("scaled_tanh is PyTorch's") {
  const std::vector<float> y = {-1.7147491f, -1.65417492f, -1.30681944f, -0.999997318f, -0.283364445f,
                                0,           0.283364445f, 0.999997318f, 1.59769094f,   1.7147491f};
  const std::vector<float> dx = {0.00153389235f, 0.0808198228f, 0.480422586f, 0.75541234f,  1.1127367f,
                                 1.1439333f,     1.1127367f,    0.75541234f,  0.152183056f, 0.00153389235f};
  CHECK(distance(outputs_of(kScaledTanh, Settings(kScaledTanh), kX), y) <= 4e-7);
  CHECK(distance(slopes_of(kScaledTanh, Settings(kScaledTanh), kX), dx) <= 4e-7);
}

// A few roundings, relative also where the result is small.
TEST_CASE("scaled_tanh over a wide range") {
  CHECK(activation_error(kScaledTanh, Settings(kScaledTanh),
                         [](double x) { return 1.7159 * std::tanh(2 * x / 3); }) <= 6e-7);
  CHECK(activation_gradient_error(kScaledTanh, Settings(kScaledTanh)) < 1e-3);
}

TEST_CASE("scaled_tanh far out, and of NaN") {
  const std::vector<float> y =
      outputs_of(kScaledTanh, Settings(kScaledTanh), {NAN, INFINITY, -INFINITY, 1e30f, -1e30f});
  CHECK(std::isnan(y[0]));
  for (const size_t i : {1, 3}) CHECK(y[i] == 1.7159f);
  for (const size_t i : {2, 4}) CHECK(y[i] == -1.7159f);
  for (const float slope :
       slopes_of(kScaledTanh, Settings(kScaledTanh), {INFINITY, -INFINITY, 1e30f, -1e30f}))
    CHECK(std::isfinite(slope));
}

TEST_CASE("scaled_tanh is an activation, in place") {
  TestHost host;
  const LayerTest layer(host, kScaledTanh, Settings(kScaledTanh), {{"x", DType::f32, {3}}});
  CHECK(layer.is_activation);
  CHECK(layer.epilogue_functions.size() == 1);
  CHECK(layer.in_place);
}
