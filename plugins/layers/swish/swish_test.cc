#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kSwish = linked("plait.swish");
const std::vector<float> kX = {-6, -3, -1.5f, -1, -0.25f, 0, 0.25f, 1, 2.5f, 6};

}  // namespace

// By hand: at x = ln 3 the logistic function is 3 / 4.
TEST_CASE("swish of one number") {
  CHECK(outputs_of(kSwish, Settings(kSwish), {1.0986123f})[0] ==
        doctest::Approx(0.75 * 1.0986123).epsilon(1e-6));
}

// Values of PyTorch 2.15, silu; both are off by some roundings of f32.
TEST_CASE("swish is PyTorch's") {
  const std::vector<float> y = {-0.0148357386f, -0.142277613f, -0.273638278f, -0.268941432f, -0.109455876f, 0,
                                0.140544131f,   0.731058598f,  2.31035447f,   5.98516464f};
  const std::vector<float> dx = {-0.0123264315f, -0.0881041065f, -0.0412941612f, 0.0723294839f, 0.376289994f,
                                 0.5f,           0.623710036f,   0.927670538f,   1.09940112f,   1.01232624f};
  CHECK(distance(outputs_of(kSwish, Settings(kSwish), kX), y) <= 4e-7);
  CHECK(distance(slopes_of(kSwish, Settings(kSwish), kX), dx) <= 4e-7);
}

// A few roundings, relative also where the result is small.
TEST_CASE("swish over a wide range") {
  CHECK(activation_error(kSwish, Settings(kSwish), [](double x) { return x / (1 + std::exp(-x)); }) <= 3e-6);
  CHECK(activation_gradient_error(kSwish, Settings(kSwish)) < 1e-3);
}

// A few roundings, relative also where the result is small.
TEST_CASE("swish over a wide range and sharper") {
  CHECK(activation_error(kSwish, Settings(kSwish).set("beta", 2.5),
                         [](double x) { return x / (1 + std::exp(-2.5 * x)); }) <= 3e-6);
  CHECK(activation_gradient_error(kSwish, Settings(kSwish).set("beta", 2.5)) < 1e-3);
}

TEST_CASE("swish far out, and of NaN") {
  const std::vector<float> y =
      outputs_of(kSwish, Settings(kSwish), {NAN, INFINITY, -INFINITY, 1e30f, -1e30f});
  CHECK(std::isnan(y[0]));
  CHECK(y[1] == INFINITY);
  CHECK(y[3] == 1e30f);
  for (const size_t i : {2, 4}) CHECK(std::abs(y[i]) < 1e-30);
  for (const float slope : slopes_of(kSwish, Settings(kSwish), {INFINITY, -INFINITY, 1e30f, -1e30f}))
    CHECK(std::isfinite(slope));
}

TEST_CASE("swish is an activation") {
  TestHost host;
  const LayerTest layer(host, kSwish, Settings(kSwish), {{"x", DType::f32, {3}}});
  CHECK(layer.is_activation);
  CHECK(!layer.in_place);
}

TEST_CASE("swish's own loops are oneDNN's function") {
  CHECK(twin_distance(kSwish, Settings(kSwish).set("beta", 1.5)) <= 1e-6);
  CHECK(twin_passes_nan(kSwish, Settings(kSwish).set("beta", 1.5)));
}
