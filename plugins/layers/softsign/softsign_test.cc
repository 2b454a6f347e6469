#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kSoftsign = linked("plait.softsign");
const std::vector<float> kX = {-6, -3, -1.5f, -1, -0.25f, 0, 0.25f, 1, 2.5f, 6};

}  // namespace

// By hand: -3 / 4.
TEST_CASE("softsign of one number") {
  CHECK(outputs_of(kSoftsign, Settings(kSoftsign), {-3})[0] == doctest::Approx(-0.75).epsilon(1e-6));
}

// Values of PyTorch 2.15, softsign; both are off by some roundings of f32.
TEST_CASE("softsign is PyTorch's") {
  const std::vector<float> y = {-0.857142866f, -0.75f, -0.600000024f, -0.5f,       -0.200000003f, 0,
                                0.200000003f,  0.5f,   0.714285731f,  0.857142866f};
  const std::vector<float> dx = {0.0204081684f, 0.0625f, 0.159999996f,  0.25f,        0.639999986f, 1,
                                 0.639999986f,  0.25f,   0.0816326588f, 0.0204081684f};
  CHECK(distance(outputs_of(kSoftsign, Settings(kSoftsign), kX), y) <= 4e-7);
  CHECK(distance(slopes_of(kSoftsign, Settings(kSoftsign), kX), dx) <= 4e-7);
}

// A few roundings, relative also where the result is small.
TEST_CASE("softsign over a wide range") {
  CHECK(activation_error(kSoftsign, Settings(kSoftsign), [](double x) { return x / (1 + std::abs(x)); }) <=
        3e-7);
  CHECK(activation_gradient_error(kSoftsign, Settings(kSoftsign)) < 1e-3);
}

TEST_CASE("softsign far out, and of NaN") {
  const std::vector<float> y =
      outputs_of(kSoftsign, Settings(kSoftsign), {NAN, INFINITY, -INFINITY, 1e30f, -1e30f});
  CHECK(std::isnan(y[0]));
  for (const size_t i : {1, 3}) CHECK(y[i] == 1);
  for (const size_t i : {2, 4}) CHECK(y[i] == -1);
  for (const float slope : slopes_of(kSoftsign, Settings(kSoftsign), {INFINITY, -INFINITY, 1e30f, -1e30f}))
    CHECK(std::isfinite(slope));
}

TEST_CASE("softsign is an activation, in place") {
  TestHost host;
  const LayerTest layer(host, kSoftsign, Settings(kSoftsign), {{"x", DType::f32, {3}}});
  CHECK(layer.is_activation);
  CHECK(layer.epilogue_functions.size() == 1);
  CHECK(layer.in_place);
}
