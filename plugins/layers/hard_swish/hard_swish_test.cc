#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kHardSwish = linked("plait.hard_swish");
const std::vector<float> kX = {-6, -3, -1.5f, -1, -0.25f, 0, 0.25f, 1, 2.5f, 6};

}  // namespace

// By hand: 1.5 * 4.5 / 6.
TEST_CASE("hard_swish of one number") {
  CHECK(outputs_of(kHardSwish, Settings(kHardSwish), {1.5f})[0] == doctest::Approx(1.125).epsilon(1e-6));
}

// Values of PyTorch 2.15, hardswish; both are off by some roundings of f32.
TEST_CASE("hard_swish is PyTorch's") {
  const std::vector<float> y = {-0, -0,           -0.375f,      -0.333333343f, -0.114583336f,
                                0,  0.135416672f, 0.666666687f, 2.29166675f,   6};
  const std::vector<float> dx = {
      0, 0, 0, 0.166666657f, 0.416666657f, 0.5f, 0.583333313f, 0.833333373f, 1.33333325f, 1};
  CHECK(distance(outputs_of(kHardSwish, Settings(kHardSwish), kX), y) <= 4e-7);
  CHECK(distance(slopes_of(kHardSwish, Settings(kHardSwish), kX), dx) <= 4e-7);
}

// A few roundings, relative also where the result is small.
TEST_CASE("hard_swish over a wide range") {
  CHECK(activation_error(kHardSwish, Settings(kHardSwish), [](double x) {
          return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6;
        }) <= 5e-7);
  CHECK(activation_gradient_error(kHardSwish, Settings(kHardSwish)) < 1e-3);
}

TEST_CASE("hard_swish far out, and of NaN") {
  const std::vector<float> y =
      outputs_of(kHardSwish, Settings(kHardSwish), {NAN, INFINITY, -INFINITY, 1e30f, -1e30f});
  CHECK(std::isnan(y[0]));
  CHECK(y[1] == INFINITY);
  CHECK(y[3] == 1e30f);
  for (const size_t i : {2, 4}) CHECK(y[i] == 0);
  for (const float slope : slopes_of(kHardSwish, Settings(kHardSwish), {INFINITY, -INFINITY, 1e30f, -1e30f}))
    CHECK(std::isfinite(slope));
}

TEST_CASE("hard_swish is an activation") {
  TestHost host;
  const LayerTest layer(host, kHardSwish, Settings(kHardSwish), {{"x", DType::f32, {3}}});
  CHECK(layer.is_activation);
  CHECK(!layer.in_place);
}

TEST_CASE("hard_swish's own loops are oneDNN's function") {
  CHECK(twin_distance(kHardSwish, Settings(kHardSwish)) <= 1e-6);
  CHECK(twin_passes_nan(kHardSwish, Settings(kHardSwish)));
}
