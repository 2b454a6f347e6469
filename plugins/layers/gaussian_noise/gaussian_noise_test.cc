#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kNoise = linked("plait.gaussian_noise");

}  // namespace

// Of n numbers the mean is off by deviation / sqrt(n), the variance by sqrt(2 / n), the fourth moment, 3, by
// sqrt(96 / n): six of these each. So it is normal and not merely of the right width.
TEST_CASE("gaussian_noise adds normal numbers of its deviation") {
  TestHost host;
  constexpr int64_t kCount = 40001;
  LayerTest layer(host, kNoise, Settings(kNoise).set("deviation", 0.5), {{"x", DType::f32, {1, kCount}}});
  layer.forward();
  double sum = 0, squares = 0, fourths = 0, neighbours = 0, before = 0;
  for (size_t i = 0; i < kCount; ++i) {
    const double noise = (double{layer.output().f32()[i]} - layer.input().f32()[i]) / 0.5;
    sum += noise, squares += noise * noise, fourths += noise * noise * noise * noise,
        neighbours += noise * before;
    before = noise;
  }
  const double n = kCount;
  CHECK(std::abs(sum / n) <= 6 / std::sqrt(n));
  CHECK(std::abs(squares / n - 1) <= 6 * std::sqrt(2 / n));
  CHECK(std::abs(fourths / n - 3) <= 6 * std::sqrt(96 / n));
  CHECK(std::abs(neighbours / n) <= 6 / std::sqrt(n));
}

TEST_CASE("gaussian_noise passes gradients on, and draws others at the next step") {
  TestHost host;
  LayerTest layer(host, kNoise, Settings(kNoise), {{"x", DType::f32, {3, 33}}});
  layer.output_gradients[0].randomize(4);
  layer.forward();
  layer.backward();
  CHECK(std::ranges::equal(layer.input_gradients[0].f32(), layer.output_gradients[0].f32()));
  const Out y = layer.output().f32();
  const std::vector<float> first(y.begin(), y.end());
  layer.forward();
  CHECK(std::ranges::equal(first, y));
  layer.rng.counter_high += 1;
  layer.forward();
  CHECK(!std::ranges::equal(first, y));
}

TEST_CASE("gaussian_noise does not depend on lanes") {
  const auto run = [](int lanes) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kNoise, Settings(kNoise), {{"x", DType::f32, {3, 33333}}});
    layer.forward();
    return std::vector<float>(layer.output().f32().begin(), layer.output().f32().end());
  };
  CHECK(run(1) == run(2));
}

TEST_CASE("gaussian_noise does nothing in evaluation, nor frozen, nor of deviation 0") {
  for (const int which : {0, 1, 2}) {
    TestHost host;
    Settings settings(kNoise);
    if (which == 2) settings.set("deviation", 0.0);
    LayerTest layer(host, kNoise, settings, {{"x", DType::f32, {2, 9}}}, {}, true, which == 1);
    layer.training = which != 0;
    layer.forward();
    CHECK(layer.in_place);
    CHECK(std::ranges::equal(layer.output().f32(), layer.input().f32()));
  }
}

TEST_CASE("gaussian_noise refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kNoise, Settings(kNoise), {{"x", DType::i32, {4, 2}}}),
                       doctest::Contains("input is i32[4, 2], wanted f32"), std::runtime_error);
}
