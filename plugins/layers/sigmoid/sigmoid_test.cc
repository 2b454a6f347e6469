#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kSigmoid = linked("plait.sigmoid");

}  // namespace

// A few roundings of f32, relative.
TEST_CASE("sigmoid over its whole range") {
  CHECK(activation_error(kSigmoid, Settings(kSigmoid), [](double x) { return 1 / (1 + std::exp(-x)); }) <=
        1e-6);
}

TEST_CASE("sigmoid far out, and of NaN") {
  const std::vector<float> y =
      outputs_of(kSigmoid, Settings(kSigmoid), {NAN, INFINITY, -INFINITY, 1e30f, -1e30f});
  CHECK(std::isnan(y[0]));
  for (const size_t i : {1, 3}) CHECK(y[i] == 1);
  for (const size_t i : {2, 4}) CHECK(y[i] == doctest::Approx(0).epsilon(1e-30));
}

TEST_CASE("sigmoid gradients") { CHECK(activation_gradient_error(kSigmoid, Settings(kSigmoid)) < 1e-3); }

TEST_CASE("sigmoid is absorbed by its name") {
  TestHost host;
  const LayerTest layer(host, kSigmoid, Settings(kSigmoid), {{"x", DType::f32, {3}}});
  CHECK(layer.in_place);
  CHECK(layer.epilogue == "sigmoid");
}

TEST_CASE("sigmoid's own loops are oneDNN's function") {
  CHECK(twin_distance(kSigmoid, Settings(kSigmoid)) <= 1e-6);
  CHECK(twin_passes_nan(kSigmoid, Settings(kSigmoid)));
}
