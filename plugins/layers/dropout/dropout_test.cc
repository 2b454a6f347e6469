#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kDropout = linked("plait.dropout");

}  // namespace

TEST_CASE("dropout drops the share it is told, and scales the rest") {
  TestHost host;
  for (const double rate : {0.0, 0.25, 0.9}) {
    LayerTest layer(host, kDropout, Settings(kDropout).set("rate", rate), {{"x", DType::f32, {1, 40001}}});
    layer.forward();
    size_t dropped = 0;
    for (size_t i = 0; i < 40001; ++i) {
      const float y = layer.output().f32()[i];
      if (y == 0) {
        ++dropped;
      } else {
        CHECK(y == doctest::Approx(layer.input().f32()[i] / (1 - rate)));
      }
    }
    // Six standard deviations of a binomial count.
    CHECK(std::abs(static_cast<double>(dropped) - 40001 * rate) <= 6 * std::sqrt(40001 * rate * (1 - rate)));
  }
}

TEST_CASE("dropout keeps its choice from forward to backward, and makes another at the next step") {
  TestHost host;
  LayerTest layer(host, kDropout, Settings(kDropout), {{"x", DType::f32, {3, 333}}});
  CHECK(layer.gradient_error(999) < 1e-3);
  const Out y = layer.output().f32();
  const std::vector<float> first(y.begin(), y.end());
  layer.forward();
  CHECK(std::equal(first.begin(), first.end(), y.begin()));
  layer.rng.counter_high += 1;
  layer.forward();
  CHECK(!std::equal(first.begin(), first.end(), y.begin()));
}

TEST_CASE("dropout does not depend on lanes") {
  const auto run = [](int lanes) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kDropout, Settings(kDropout), {{"x", DType::f32, {3, 33333}}});
    layer.forward();
    return std::vector<float>(layer.output().f32().begin(), layer.output().f32().end());
  };
  CHECK(run(1) == run(2));
}

TEST_CASE("dropout that does not rescale sets numbers to 0 and no more, backward too") {
  TestHost host;
  LayerTest layer(host, kDropout, Settings(kDropout).set("rate", 0.3).set("rescale", false),
                  {{"x", DType::f32, {3, 333}}});
  CHECK(layer.gradient_error(999) < 1e-3);
  size_t dropped = 0;
  for (size_t i = 0; i < 999; ++i) {
    const float x = layer.input().f32()[i], y = layer.output().f32()[i];
    CHECK((y == 0 || y == x));
    dropped += y == 0 ? 1 : 0;
  }
  CHECK(dropped > 200);
}

TEST_CASE("dropout that is frozen passes its input on in training too") {
  TestHost host;
  LayerTest layer(host, kDropout, Settings(kDropout), {{"x", DType::f32, {2, 9}}}, {}, true, true);
  CHECK(layer.saved_bytes == 0);
  CHECK(layer.gradient_error(18) < 1e-3);
  for (size_t i = 0; i < 18; ++i) CHECK(layer.output().f32()[i] == layer.input().f32()[i]);
}

TEST_CASE("dropout does nothing in evaluation") {
  TestHost host;
  LayerTest layer(host, kDropout, Settings(kDropout), {{"x", DType::f32, {2, 9}}});
  layer.training = false;
  layer.forward();
  for (size_t i = 0; i < 18; ++i) CHECK(layer.output().f32()[i] == layer.input().f32()[i]);
}
