#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kGelu = linked("plait.gelu");
const std::vector<float> kX = {-6, -3, -1.5f, -1, -0.25f, 0, 0.25f, 1, 2.5f, 6};

}  // namespace

// By hand: below one deviation lie 0.84134475.
TEST_CASE("gelu of one number") {
  CHECK(outputs_of(kGelu, Settings(kGelu), {1})[0] == doctest::Approx(0.84134475).epsilon(1e-6));
}

// Values of PyTorch 2.15, gelu; 1 + erf(x / sqrt(2)) has lost digits there where x is below 0: units of 2^-24
// times x / 2.
TEST_CASE("gelu is PyTorch's") {
  const std::vector<float> y = {-0, -0.00405022502f, -0.10021086f, -0.158655256f, -0.100323416f,
                                0,  0.149676576f,    0.841344714f, 2.48447585f,   6};
  const std::vector<float> dx = {-2.98023224e-08f, -0.0119456053f,
                                 -0.127469152f,    -0.0833154321f,
                                 0.304626703f,     0.5f,
                                 0.695373297f,     1.08331537f,
                                 1.03761101f,      1};
  CHECK(distance(outputs_of(kGelu, Settings(kGelu), kX), y) <= 1e-6);
  CHECK(distance(slopes_of(kGelu, Settings(kGelu), kX), dx) <= 4e-7);
}

// Values of PyTorch 2.15, gelu of approximate tanh; both are off by some roundings of f32.
TEST_CASE("gelu is PyTorch's, by tanh") {
  const std::vector<float> y = {-0, -0.00363743305f, -0.100428432f, -0.158807993f, -0.100324646f,
                                0,  0.149675354f,    0.841192007f,  2.48491573f,   6};
  const std::vector<float> dx = {0,    -0.0115842968f, -0.127710819f, -0.0829640925f, 0.304645896f,
                                 0.5f, 0.695354104f,   1.08296406f,   1.03795171f,    1};
  CHECK(distance(outputs_of(kGelu, Settings(kGelu).set("approximation", std::string("tanh")), kX), y) <=
        4e-7);
  CHECK(distance(slopes_of(kGelu, Settings(kGelu).set("approximation", std::string("tanh")), kX), dx) <=
        4e-7);
}

// A few roundings, relative also where the result is small: erf, as the formula has it, would lose them.
TEST_CASE("gelu over a wide range") {
  std::vector<float> x;
  for (int i = -1250; i <= 1250; ++i) x.push_back(static_cast<float>(i) / 100);
  const std::vector<float> y = outputs_of(kGelu, Settings(kGelu), x);
  for (size_t i = 0; i < x.size(); ++i) {
    const double wanted = double{x[i]} * std::erfc(-double{x[i]} / std::sqrt(2.0)) / 2;
    CHECK(std::abs(y[i] - wanted) <= 1e-6 * std::abs(wanted));
  }
  for (const char* approximation : {"none", "tanh"})
    CHECK(activation_gradient_error(kGelu, Settings(kGelu).set("approximation", std::string(approximation))) <
          1e-3);
}

TEST_CASE("gelu far out, and of NaN") {
  const std::vector<float> y = outputs_of(kGelu, Settings(kGelu), {NAN, INFINITY, -INFINITY, 1e30f, -1e30f});
  CHECK(std::isnan(y[0]));
  CHECK(y[1] == INFINITY);
  CHECK(y[3] == 1e30f);
  for (const size_t i : {2, 4}) CHECK(std::abs(y[i]) < 1e-30);
  for (const float slope : slopes_of(kGelu, Settings(kGelu), {INFINITY, -INFINITY, 1e30f, -1e30f}))
    CHECK(std::isfinite(slope));
}

TEST_CASE("gelu is an activation") {
  TestHost host;
  const LayerTest layer(host, kGelu, Settings(kGelu), {{"x", DType::f32, {3}}});
  CHECK(layer.is_activation);
  CHECK(!layer.in_place);
}

TEST_CASE("gelu's own loops are oneDNN's function") {
  CHECK(twin_distance(kGelu, Settings(kGelu)) <= 1e-6);
  CHECK(twin_passes_nan(kGelu, Settings(kGelu)));
}
