#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kElu = linked("plait.elu");
const std::vector<float> kX = {-6, -3, -1.5f, -1, -0.25f, 0, 0.25f, 1, 2.5f, 6};

}  // namespace

// By hand: e^-ln 2 - 1 = -1 / 2.
TEST_CASE("elu of one number") {
  CHECK(outputs_of(kElu, Settings(kElu), {-0.6931472f})[0] == doctest::Approx(-0.5).epsilon(1e-6));
}

// Values of PyTorch 2.15, elu; both are off by some roundings of f32.
TEST_CASE("elu is PyTorch's") {
  const std::vector<float> y = {
      -0.997521222f, -0.950212955f, -0.776869833f, -0.63212055f, -0.221199214f, 0, 0.25f, 1, 2.5f, 6};
  const std::vector<float> dx = {
      0.00247875229f, 0.0497870669f, 0.223130167f, 0.36787945f, 0.778800786f, 1, 1, 1, 1, 1};
  CHECK(distance(outputs_of(kElu, Settings(kElu), kX), y) <= 4e-7);
  CHECK(distance(slopes_of(kElu, Settings(kElu), kX), dx) <= 4e-7);
}

// Values of PyTorch 2.15, elu of alpha 0.5; both are off by some roundings of f32.
TEST_CASE("elu is PyTorch's, another alpha") {
  const std::vector<float> y = {
      -0.498760611f, -0.475106478f, -0.388434917f, -0.316060275f, -0.110599607f, 0, 0.25f, 1, 2.5f, 6};
  const std::vector<float> dx = {
      0.00123937614f, 0.0248935334f, 0.111565083f, 0.183939725f, 0.389400393f, 0.5f, 1, 1, 1, 1};
  CHECK(distance(outputs_of(kElu, Settings(kElu).set("alpha", 0.5), kX), y) <= 4e-7);
  CHECK(distance(slopes_of(kElu, Settings(kElu).set("alpha", 0.5), kX), dx) <= 4e-7);
}

// A few roundings, relative also where the result is small.
TEST_CASE("elu over a wide range") {
  CHECK(activation_error(kElu, Settings(kElu).set("alpha", 2.0),
                         [](double x) { return x > 0 ? x : 2 * std::expm1(x); }) <= 5e-7);
  CHECK(activation_gradient_error(kElu, Settings(kElu).set("alpha", 2.0)) < 1e-3);
}

TEST_CASE("elu far out, and of NaN") {
  const std::vector<float> y = outputs_of(kElu, Settings(kElu), {NAN, INFINITY, -INFINITY, 1e30f, -1e30f});
  CHECK(std::isnan(y[0]));
  CHECK(y[1] == INFINITY);
  CHECK(y[3] == 1e30f);
  for (const size_t i : {2, 4}) CHECK(y[i] == -1);
  for (const float slope : slopes_of(kElu, Settings(kElu), {INFINITY, -INFINITY, 1e30f, -1e30f}))
    CHECK(std::isfinite(slope));
}

TEST_CASE("elu is an activation, in place") {
  TestHost host;
  const LayerTest layer(host, kElu, Settings(kElu), {{"x", DType::f32, {3}}});
  CHECK(layer.is_activation);
  CHECK(layer.epilogue_functions.size() == 1);
  CHECK(layer.in_place);
}

TEST_CASE("elu's own loops are oneDNN's function") {
  CHECK(twin_distance(kElu, Settings(kElu).set("alpha", 0.5)) <= 1e-6);
  CHECK(twin_passes_nan(kElu, Settings(kElu).set("alpha", 0.5)));
}
