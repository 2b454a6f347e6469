#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kSoftplus = linked("plait.softplus");
const std::vector<float> kX = {-6, -3, -1.5f, -1, -0.25f, 0, 0.25f, 1, 2.5f, 6};

}  // namespace

// By hand: ln(1 + 1).
TEST_CASE("softplus of one number") {
  CHECK(outputs_of(kSoftplus, Settings(kSoftplus), {0})[0] == doctest::Approx(0.69314718).epsilon(1e-6));
}

// Values of PyTorch 2.15, softplus; both are off by some roundings of f32.
TEST_CASE("softplus is PyTorch's") {
  const std::vector<float> y = {0.00247568521f, 0.048587352f, 0.201413289f, 0.313261688f, 0.575939417f,
                                0.693147182f,   0.825939417f, 1.31326163f,  2.57888985f,  6.00247574f};
  const std::vector<float> dx = {0.00247262325f, 0.0474258736f, 0.182425514f, 0.268941432f, 0.437823504f,
                                 0.5f,           0.562176526f,  0.731058598f, 0.924141824f, 0.997527361f};
  CHECK(distance(outputs_of(kSoftplus, Settings(kSoftplus), kX), y) <= 4e-7);
  CHECK(distance(slopes_of(kSoftplus, Settings(kSoftplus), kX), dx) <= 4e-7);
}

// Values of PyTorch 2.15, softplus of beta 2; both are off by some roundings of f32.
TEST_CASE("softplus is PyTorch's, another beta") {
  const std::vector<float> y = {3.07209666e-06f, 0.0012378426f, 0.024293676f, 0.0634640008f, 0.237038493f,
                                0.346573591f,    0.487038493f,  1.06346405f,  2.50335765f,   6.00000286f};
  const std::vector<float> dx = {6.14417422e-06f, 0.00247262325f, 0.0474258736f, 0.119202919f,
                                 0.377540678f,    0.5f,           0.622459352f,  0.880797088f,
                                 0.993307173f,    0.999993861f};
  CHECK(distance(outputs_of(kSoftplus, Settings(kSoftplus).set("beta", 2.0), kX), y) <= 4e-7);
  CHECK(distance(slopes_of(kSoftplus, Settings(kSoftplus).set("beta", 2.0), kX), dx) <= 4e-7);
}

// A few roundings, relative also where the result is small.
TEST_CASE("softplus over a wide range") {
  CHECK(activation_error(kSoftplus, Settings(kSoftplus), [](double x) {
          return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
        }) <= 8e-7);
  CHECK(activation_gradient_error(kSoftplus, Settings(kSoftplus)) < 1e-3);
}

TEST_CASE("softplus far out, and of NaN") {
  const std::vector<float> y =
      outputs_of(kSoftplus, Settings(kSoftplus), {NAN, INFINITY, -INFINITY, 1e30f, -1e30f});
  CHECK(std::isnan(y[0]));
  CHECK(y[1] == INFINITY);
  CHECK(y[3] == 1e30f);
  for (const size_t i : {2, 4}) CHECK(std::abs(y[i]) < 1e-30);
  for (const float slope : slopes_of(kSoftplus, Settings(kSoftplus), {INFINITY, -INFINITY, 1e30f, -1e30f}))
    CHECK(std::isfinite(slope));
}

TEST_CASE("softplus is an activation, in place") {
  TestHost host;
  const LayerTest layer(host, kSoftplus, Settings(kSoftplus), {{"x", DType::f32, {3}}});
  CHECK(layer.is_activation);
  CHECK(layer.epilogue_functions.size() == 1);
  CHECK(layer.in_place);
}

// oneDNN's is off by 16 units of 2^-23, ours by a few.
TEST_CASE("softplus's own loops are oneDNN's function") {
  CHECK(twin_distance(kSoftplus, Settings(kSoftplus).set("beta", 2.0)) <= 3e-6);
  CHECK(twin_passes_nan(kSoftplus, Settings(kSoftplus).set("beta", 2.0)));
}
