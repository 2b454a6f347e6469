#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kRelu = linked("plait.relu");

void check(double slope, int lanes) {
  TestHost host;
  host.lanes = lanes;
  LayerTest layer(host, kRelu, Settings(kRelu).set("slope", slope), {{"x", DType::f32, {3, 41, 83}}});
  layer.forward();
  for (size_t i = 0; i < layer.input().f32().size(); ++i) {
    const float v = layer.input().f32()[i];
    CHECK(layer.output().f32()[i] == (v > 0 ? v : static_cast<float>(slope) * v));
  }
  CHECK(layer.in_place);
  CHECK(layer.epilogue == "relu");
}

}  // namespace

TEST_CASE("relu keeps what is above zero") {
  check(0, 1);
  check(0.25, 1);
  check(0.25, 2);
}

TEST_CASE("relu gradients") {
  TestHost host;
  LayerTest layer(host, kRelu, Settings(kRelu).set("slope", 0.5), {{"x", DType::f32, {37}}});
  // No number within the step of the differences of the kink.
  for (size_t i = 0; i < 37; ++i) layer.input().f32()[i] = (static_cast<float>(i) - 18.5f) / 10;
  CHECK(layer.gradient_error(37) < 1e-3);
}

TEST_CASE("relu hides neither NaN nor infinity") {
  TestHost host;
  LayerTest layer(host, kRelu, Settings(kRelu), {{"x", DType::f32, {3}}});
  layer.input().fill({NAN, INFINITY, -INFINITY});
  layer.forward();
  CHECK(std::isnan(layer.output().f32()[0]));
  CHECK(layer.output().f32()[1] == INFINITY);
  CHECK(layer.output().f32()[2] == 0);
}
