#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kMish = linked("plait.mish");
const std::vector<float> kX = {-6, -3, -1.5f, -1, -0.25f, 0, 0.25f, 1, 2.5f, 6};

}  // namespace

// By hand: ln(1 + e^x) = 1 at x = ln(e - 1), and tanh(1) = 0.76159416.
TEST_CASE("mish of one number") {
  CHECK(outputs_of(kMish, Settings(kMish), {0.5413249f})[0] ==
        doctest::Approx(0.5413249 * 0.76159416).epsilon(1e-6));
}

// Values of PyTorch 2.15, mish; both are off by some roundings of f32.
TEST_CASE("mish is PyTorch's") {
  const std::vector<float> y = {-0.014854081f, -0.145647466f, -0.298099756f, -0.30340144f, -0.129926965f, 0,
                                0.169572398f,  0.865098357f,  2.47139239f,   5.99992657f};
  const std::vector<float> dx = {-0.0123599665f, -0.0933931246f, -0.0640978143f, 0.0592167303f, 0.439815611f,
                                 0.600000024f,   0.754172623f,   1.04903626f,    1.04112959f,   1.00013399f};
  CHECK(distance(outputs_of(kMish, Settings(kMish), kX), y) <= 4e-7);
  CHECK(distance(slopes_of(kMish, Settings(kMish), kX), dx) <= 4e-7);
}

// A few roundings, relative also where the result is small.
TEST_CASE("mish over a wide range") {
  CHECK(activation_error(kMish, Settings(kMish), [](double x) {
          return x * std::tanh(x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)));
        }) <= 1e-6);
  CHECK(activation_gradient_error(kMish, Settings(kMish)) < 1e-3);
}

TEST_CASE("mish far out, and of NaN") {
  const std::vector<float> y = outputs_of(kMish, Settings(kMish), {NAN, INFINITY, -INFINITY, 1e30f, -1e30f});
  CHECK(std::isnan(y[0]));
  CHECK(y[1] == INFINITY);
  CHECK(y[3] == 1e30f);
  for (const size_t i : {2, 4}) CHECK(std::abs(y[i]) < 1e-30);
  for (const float slope : slopes_of(kMish, Settings(kMish), {INFINITY, -INFINITY, 1e30f, -1e30f}))
    CHECK(std::isfinite(slope));
}

TEST_CASE("mish is an activation") {
  TestHost host;
  const LayerTest layer(host, kMish, Settings(kMish), {{"x", DType::f32, {3}}});
  CHECK(layer.is_activation);
  CHECK(!layer.in_place);
}

TEST_CASE("mish's own loops are oneDNN's function") {
  CHECK(twin_distance(kMish, Settings(kMish)) <= 1e-6);
  CHECK(twin_passes_nan(kMish, Settings(kMish)));
}
