#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kDropout = linked("plait.spatial_dropout");

}  // namespace

TEST_CASE("spatial_dropout drops whole channels, by the share it is told, and scales the rest") {
  for (const double rate : {0.0, 0.25, 0.9}) {
    TestHost host;
    constexpr size_t kSamples = 50, kPlaces = 6, kChannels = 201;
    LayerTest layer(host, kDropout, Settings(kDropout).set("rate", rate),
                    {{"x", DType::f32, {50, 2, 3, 201}}});
    layer.forward();
    const Out x = layer.input().f32(), y = layer.output().f32();
    size_t dropped = 0;
    for (size_t n = 0; n < kSamples; ++n)
      for (size_t c = 0; c < kChannels; ++c) {
        const bool is_dropped = y[n * kPlaces * kChannels + c] == 0;
        dropped += is_dropped ? 1 : 0;
        for (size_t p = 0; p < kPlaces; ++p) {
          const size_t i = (n * kPlaces + p) * kChannels + c;
          CHECK(y[i] == doctest::Approx(is_dropped ? 0 : x[i] / (1 - rate)));
        }
      }
    // Six standard deviations of a binomial count.
    const double channels = kSamples * kChannels;
    CHECK(std::abs(static_cast<double>(dropped) - channels * rate) <=
          6 * std::sqrt(channels * rate * (1 - rate)));
  }
}

TEST_CASE("spatial_dropout keeps its choice from forward to backward, and makes another at the next step") {
  TestHost host;
  LayerTest layer(host, kDropout, Settings(kDropout), {{"x", DType::f32, {3, 4, 33}}});
  CHECK(layer.gradient_error(396) < 1e-3);
  const Out y = layer.output().f32();
  const std::vector<float> first(y.begin(), y.end());
  layer.forward();
  CHECK(std::ranges::equal(first, y));
  layer.rng.counter_high += 1;
  layer.forward();
  CHECK(!std::ranges::equal(first, y));
}

TEST_CASE("spatial_dropout does not depend on lanes") {
  const auto run = [](int lanes) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kDropout, Settings(kDropout), {{"x", DType::f32, {30, 40, 77}}});
    layer.forward();
    return std::vector<float>(layer.output().f32().begin(), layer.output().f32().end());
  };
  CHECK(run(1) == run(2));
}

TEST_CASE("spatial_dropout does nothing in evaluation, nor frozen") {
  for (const bool frozen : {false, true}) {
    TestHost host;
    LayerTest layer(host, kDropout, Settings(kDropout), {{"x", DType::f32, {2, 3, 9}}}, {}, true, frozen);
    layer.training = frozen;
    layer.forward();
    CHECK(layer.in_place);
    CHECK(std::ranges::equal(layer.output().f32(), layer.input().f32()));
  }
}

TEST_CASE("spatial_dropout refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kDropout, Settings(kDropout), {{"x", DType::f32, {4}}}),
                       doctest::Contains("input is f32[4], wanted f32 [N, ..., C]"), std::runtime_error);
}
