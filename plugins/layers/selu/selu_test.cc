#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kSelu = linked("plait.selu");
const std::vector<float> kX = {-6, -3, -1.5f, -1, -0.25f, 0, 0.25f, 1, 2.5f, 6};

}  // namespace

// By hand: the scale times alpha times e^-ln 2 - 1 = -1 / 2: -1.05070099 * 1.67326324 / 2.
TEST_CASE("selu of one number") {
  CHECK(outputs_of(kSelu, Settings(kSelu), {-0.6931472f})[0] == doctest::Approx(-0.87904967).epsilon(1e-6));
}

// Values of PyTorch 2.15, selu; both are off by some roundings of f32.
TEST_CASE("selu is PyTorch's") {
  const std::vector<float> y = {-1.75374138f, -1.6705687f, -1.36581433f, -1.11133075f, -0.388890177f, 0,
                                0.262675256f, 1.05070102f, 2.62675261f,  6.30420589f};
  const std::vector<float> dx = {0.00435789255f, 0.0875306055f, 0.392284989f, 0.64676863f, 1.36920917f,
                                 1.75809932f,    1.05070102f,   1.05070102f,  1.05070102f, 1.05070102f};
  CHECK(distance(outputs_of(kSelu, Settings(kSelu), kX), y) <= 4e-7);
  CHECK(distance(slopes_of(kSelu, Settings(kSelu), kX), dx) <= 4e-7);
}

// A few roundings, relative also where the result is small.
TEST_CASE("selu over a wide range") {
  CHECK(activation_error(kSelu, Settings(kSelu), [](double x) {
          return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x));
        }) <= 5e-7);
  CHECK(activation_gradient_error(kSelu, Settings(kSelu)) < 1e-3);
}

TEST_CASE("selu far out, and of NaN") {
  const std::vector<float> y = outputs_of(kSelu, Settings(kSelu), {NAN, INFINITY, -INFINITY, 1e30f, -1e30f});
  CHECK(std::isnan(y[0]));
  CHECK(y[1] == INFINITY);
  for (const size_t i : {2, 4}) CHECK(y[i] == doctest::Approx(-1.7580993).epsilon(1e-6));
  for (const float slope : slopes_of(kSelu, Settings(kSelu), {INFINITY, -INFINITY, 1e30f, -1e30f}))
    CHECK(std::isfinite(slope));
}

TEST_CASE("selu is an activation, in place") {
  TestHost host;
  const LayerTest layer(host, kSelu, Settings(kSelu), {{"x", DType::f32, {3}}});
  CHECK(layer.is_activation);
  CHECK(layer.epilogue_functions.size() == 1);
  CHECK(layer.in_place);
}
