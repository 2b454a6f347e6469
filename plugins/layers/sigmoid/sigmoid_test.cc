#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kSigmoid = linked("plait.sigmoid");

double reference(double v) { return 1 / (1 + std::exp(-v)); }

}  // namespace

TEST_CASE("sigmoid over its whole range") {
  TestHost host;
  LayerTest layer(host, kSigmoid, Settings(kSigmoid), {{"x", DType::f32, {4001}}});
  const Out x = layer.input().f32();
  for (size_t i = 0; i < x.size(); ++i) x[i] = (static_cast<float>(i) - 2000) / 100;
  layer.forward();
  for (size_t i = 0; i < x.size(); ++i) {
    // A few roundings of f32, relative.
    const double wanted = reference(x[i]);
    CHECK(std::abs(layer.output().f32()[i] - wanted) <= 1e-6 * std::abs(wanted));
  }
  CHECK(layer.in_place);
  CHECK(layer.epilogue == "sigmoid");
}

TEST_CASE("sigmoid far out, and of NaN") {
  TestHost host;
  LayerTest layer(host, kSigmoid, Settings(kSigmoid), {{"x", DType::f32, {5}}});
  layer.input().fill({NAN, INFINITY, -INFINITY, 1e30f, -1e30f});
  layer.forward();
  const Out y = layer.output().f32();
  CHECK(std::isnan(y[0]));
  for (const int i : {1, 3}) CHECK(y[i] == 1);
  for (const int i : {2, 4}) CHECK(y[i] == doctest::Approx(0).epsilon(1e-30));
}

TEST_CASE("sigmoid gradients") {
  for (const int lanes : {1, 2}) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kSigmoid, Settings(kSigmoid), {{"x", DType::f32, {2, 3, 7}}});
    CHECK(layer.gradient_error(42) < 1e-3);
  }
}
