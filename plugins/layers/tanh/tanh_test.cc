#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kTanh = linked("plait.tanh");

}  // namespace

// A few roundings of f32, relative.
TEST_CASE("tanh over its whole range") {
  CHECK(activation_error(kTanh, Settings(kTanh), [](double x) { return std::tanh(x); }) <= 1e-6);
}

TEST_CASE("tanh far out, and of NaN") {
  const std::vector<float> y = outputs_of(kTanh, Settings(kTanh), {NAN, INFINITY, -INFINITY, 1e30f, -1e30f});
  CHECK(std::isnan(y[0]));
  for (const size_t i : {1, 3}) CHECK(y[i] == 1);
  for (const size_t i : {2, 4}) CHECK(y[i] == doctest::Approx(-1).epsilon(1e-30));
}

TEST_CASE("tanh gradients") { CHECK(activation_gradient_error(kTanh, Settings(kTanh)) < 1e-3); }

TEST_CASE("tanh is absorbed by its name") {
  TestHost host;
  const LayerTest layer(host, kTanh, Settings(kTanh), {{"x", DType::f32, {3}}});
  CHECK(layer.in_place);
  CHECK(layer.epilogue == "tanh");
}

TEST_CASE("tanh's own loops are oneDNN's function") {
  CHECK(twin_distance(kTanh, Settings(kTanh)) <= 1e-6);
  CHECK(twin_passes_nan(kTanh, Settings(kTanh)));
}
