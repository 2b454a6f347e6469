#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kRelu = linked("plait.relu");

Settings of_slope(double slope) { return Settings(kRelu).set("slope", slope); }

}  // namespace

TEST_CASE("relu keeps what is above zero, to the bit") {
  for (const double slope : {0.0, 0.25})
    CHECK(activation_error(kRelu, of_slope(slope), [&](double x) { return x > 0 ? x : slope * x; }) == 0);
}

TEST_CASE("relu gradients") { CHECK(activation_gradient_error(kRelu, of_slope(0.5)) < 1e-3); }

TEST_CASE("relu hides neither NaN nor infinity") {
  const std::vector<float> y = outputs_of(kRelu, Settings(kRelu), {NAN, INFINITY, -INFINITY});
  CHECK(std::isnan(y[0]));
  CHECK(y[1] == INFINITY);
  CHECK(y[2] == 0);
}

TEST_CASE("relu is absorbed by its name and slope") {
  TestHost host;
  const LayerTest layer(host, kRelu, of_slope(0.25), {{"x", DType::f32, {3}}});
  CHECK(layer.in_place);
  CHECK(layer.epilogue == "relu");
}

// Of slope 0 oneDNN's hides a NaN, and is not offered.
TEST_CASE("relu's own loops are oneDNN's function") {
  CHECK(twin_distance(kRelu, of_slope(0.25)) == 0);
  CHECK(twin_passes_nan(kRelu, of_slope(0.25)));
  CHECK_THROWS_WITH_AS(outputs_of(kRelu, of_slope(0).set("implementation", std::string("onednn")), {1}),
                       doctest::Contains("slope 0 makes 0 of NaN"), std::runtime_error);
}
