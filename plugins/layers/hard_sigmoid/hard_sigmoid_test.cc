#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kHardSigmoid = linked("plait.hard_sigmoid");
const std::vector<float> kX = {-6, -3, -1.5f, -1, -0.25f, 0, 0.25f, 1, 2.5f, 6};

}  // namespace

// By hand: 1.5 / 6 + 1 / 2.
TEST_CASE("hard_sigmoid of one number") {
  CHECK(outputs_of(kHardSigmoid, Settings(kHardSigmoid), {1.5f})[0] == doctest::Approx(0.75).epsilon(1e-6));
}

// Values of PyTorch 2.15, hardsigmoid; both are off by some roundings of f32.
TEST_CASE("hard_sigmoid is PyTorch's") {
  const std::vector<float> y = {
      0, 0, 0.25f, 0.333333343f, 0.458333343f, 0.5f, 0.541666687f, 0.666666687f, 0.916666687f, 1};
  const std::vector<float> dx = {
      0, 0, 0.166666672f, 0.166666672f, 0.166666672f, 0.166666672f, 0.166666672f, 0.166666672f, 0.166666672f,
      0};
  CHECK(distance(outputs_of(kHardSigmoid, Settings(kHardSigmoid), kX), y) <= 4e-7);
  CHECK(distance(slopes_of(kHardSigmoid, Settings(kHardSigmoid), kX), dx) <= 4e-7);
}

// A few roundings, relative also where the result is small.
TEST_CASE("hard_sigmoid over a wide range") {
  CHECK(activation_error(kHardSigmoid, Settings(kHardSigmoid),
                         [](double x) { return std::min(std::max(x / 6 + 0.5, 0.0), 1.0); }) <= 3e-5);
  CHECK(activation_gradient_error(kHardSigmoid, Settings(kHardSigmoid)) < 1e-3);
}

TEST_CASE("hard_sigmoid far out, and of NaN") {
  const std::vector<float> y =
      outputs_of(kHardSigmoid, Settings(kHardSigmoid), {NAN, INFINITY, -INFINITY, 1e30f, -1e30f});
  CHECK(std::isnan(y[0]));
  for (const size_t i : {1, 3}) CHECK(y[i] == 1);
  for (const size_t i : {2, 4}) CHECK(y[i] == 0);
  for (const float slope :
       slopes_of(kHardSigmoid, Settings(kHardSigmoid), {INFINITY, -INFINITY, 1e30f, -1e30f}))
    CHECK(std::isfinite(slope));
}

TEST_CASE("hard_sigmoid is an activation, in place") {
  TestHost host;
  const LayerTest layer(host, kHardSigmoid, Settings(kHardSigmoid), {{"x", DType::f32, {3}}});
  CHECK(layer.is_activation);
  CHECK(layer.epilogue_functions.size() == 1);
  CHECK(layer.in_place);
}
