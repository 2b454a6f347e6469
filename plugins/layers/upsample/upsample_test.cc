#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kUpsample = linked("plait.upsample");

}  // namespace

// PyTorch 2.15.
TEST_CASE("upsample repeats") {
  TestHost host;
  LayerTest layer(host, kUpsample, Settings(kUpsample).set("factor", 2).add("factor", 3),
                  {{"x", DType::f32, {1, 2, 2, 1}}});
  layer.input().fill({-4, 4, -4, 5});
  layer.output_gradients[0].fill(
      {-1, -4, -1, -3, 1, 0, 5, 5, 0, 1, -3, -1, -4, -1, -3, 1, 0, 5, 5, 0, 1, -3, -1, -4});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-4, -4, -4, 4, 4, 4, -4, -4, -4, 4, 4, 4,
                                -4, -4, -4, 5, 5, 5, -4, -4, -4, 5, 5, 5};
  const std::vector<float> dx = {4, -5, -2, -2};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{1, 4, 6, 1});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

// PyTorch 2.15, bilinear without align_corners; both are off by some roundings.
TEST_CASE("upsample draws lines") {
  TestHost host;
  LayerTest layer(host, kUpsample, Settings(kUpsample).set("mode", std::string("bilinear")),
                  {{"x", DType::f32, {1, 2, 3, 1}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3});
  layer.output_gradients[0].fill(
      {-1, -4, -1, -3, 1, 0, 5, 5, 0, 1, -3, -1, -4, -1, -3, 1, 0, 5, 5, 0, 1, -3, -1, -4});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-4,       -2,      2,        2,      -2,     -4,      -1.75f,  -0.6875f,
                                1.4375f,  0.9375f, -2.1875f, -3.75f, 2.75f,  1.9375f, 0.3125f, -1.1875f,
                                -2.5625f, -3.25f,  5,        3.25f,  -0.25f, -2.25f,  -2.75f,  -3};
  const std::vector<float> dx = {0.9375f, -3.25f, -0.9375f, 3.3125f, -2.75f, -2.3125f};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{1, 4, 6, 1});
  CHECK(distance(layer.output().f32(), y) <= 3e-7);
  CHECK(distance(layer.input_gradients[0].f32(), dx) <= 3e-7);
}

// PyTorch 2.15, linear without align_corners: its weights are the fractions of rounded places, thirds of up
// to 2, and apply to numbers of up to 5.
TEST_CASE("upsample draws lines along one axis, by an odd factor") {
  TestHost host;
  LayerTest layer(host, kUpsample, Settings(kUpsample).set("factor", 3).set("mode", std::string("bilinear")),
                  {{"x", DType::f32, {1, 3, 2}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3});
  layer.output_gradients[0].fill({-1, -4, -1, -3, 1, 0, 5, 5, 0, 1, -3, -1, -4, -1, -3, 1, 0, 5});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {
      -4, 4, -4,           4,           -4,           4.33333349f,   -4, 4.66666698f,
      -4, 5, -3.33333325f, 2.33333302f, -2.66666651f, -0.333333969f, -2, -3,
      -2, -3};
  const std::vector<float> dx = {0.333333194f, -5.33333349f, 0.33333385f, 3.33333373f, -6.66666698f, 5};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{1, 9, 2});
  CHECK(distance(layer.output().f32(), y) <= 1e-6);
  CHECK(distance(layer.input_gradients[0].f32(), dx) <= 1e-6);
}

// By hand: halfway between 1 and 3, a quarter of the way from each side.
TEST_CASE("upsample of two numbers") {
  TestHost host;
  LayerTest layer(host, kUpsample, Settings(kUpsample).set("mode", std::string("bilinear")),
                  {{"x", DType::f32, {1, 2, 1}}});
  layer.input().fill({1, 3});
  layer.forward();
  const float y[] = {1, 1.5f, 2.5f, 3};
  CHECK(std::equal(y, y + 4, layer.output().f32().begin()));
}

TEST_CASE("upsample gradients, and the same for any lanes") {
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kUpsample,
                      Settings(kUpsample).set("factor", 3).set("mode", std::string("nearest")),
                      {{"x", DType::f32, {5, 4, 6, 7}}});
      CHECK(layer.gradient_error(40) < 1e-3);
      const Out y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      if (lanes == 1) of_one.assign(y.begin(), y.end());
      CHECK(std::equal(y.begin(), y.end(), of_one.begin()));
      const std::vector<float> once(dx.begin(), dx.end());
      layer.accumulate = layer.accumulates;
      layer.backward();
      for (size_t i = 0; i < once.size() && layer.accumulate; ++i)
        CHECK(dx[i] == doctest::Approx(2 * once[i]));
    }
  }
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kUpsample,
                      Settings(kUpsample).set("factor", 3).set("mode", std::string("bilinear")),
                      {{"x", DType::f32, {5, 4, 6, 7}}});
      CHECK(layer.gradient_error(40) < 1e-3);
      const Out y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      if (lanes == 1) of_one.assign(y.begin(), y.end());
      CHECK(std::equal(y.begin(), y.end(), of_one.begin()));
      const std::vector<float> once(dx.begin(), dx.end());
      layer.accumulate = layer.accumulates;
      layer.backward();
      for (size_t i = 0; i < once.size() && layer.accumulate; ++i)
        CHECK(dx[i] == doctest::Approx(2 * once[i]));
    }
  }
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kUpsample, Settings(kUpsample).set("mode", std::string("bilinear")),
                      {{"x", DType::f32, {2, 3, 4, 2, 3}}});
      CHECK(layer.gradient_error(40) < 1e-3);
      const Out y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      if (lanes == 1) of_one.assign(y.begin(), y.end());
      CHECK(std::equal(y.begin(), y.end(), of_one.begin()));
      const std::vector<float> once(dx.begin(), dx.end());
      layer.accumulate = layer.accumulates;
      layer.backward();
      for (size_t i = 0; i < once.size() && layer.accumulate; ++i)
        CHECK(dx[i] == doctest::Approx(2 * once[i]));
    }
  }
}

TEST_CASE("upsample refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kUpsample, Settings(kUpsample), {{"x", DType::f32, {4, 5}}}),
                       doctest::Contains("input is f32[4, 5], wanted f32 [N, W, C]"), std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kUpsample, Settings(kUpsample).set("factor", 2).add("factor", 2),
                                 {{"x", DType::f32, {1, 4, 2}}}),
                       doctest::Contains("factor has 2 values, wanted 1, or 1, one per axis"),
                       std::runtime_error);
}

// oneDNN's is the reference. An output is a sum of up to 8 numbers of at most 1 by weights that add up to 1,
// a gradient one of all outputs around: off by a rounding a term, and by that of oneDNN's weights, which are
// fractions of rounded places.
TEST_CASE("upsample's own loops are oneDNN's resampling") {
  for (const char* mode : {"nearest", "bilinear"})
    for (const std::vector<int64_t>& shape :
         {std::vector<int64_t>{2, 5, 3}, {2, 4, 6, 7}, {1, 8, 8, 32}, {2, 3, 4, 2, 3}})
      for (const int factor : {1, 2, 3}) {
        CAPTURE(mode);
        CAPTURE(factor);
        TestHost host;
        const auto run = [&](const char* implementation) {
          LayerTest layer(host, kUpsample,
                          Settings(kUpsample)
                              .set("factor", factor)
                              .set("mode", mode)
                              .set("implementation", implementation),
                          {{"x", DType::f32, shape}});
          layer.output_gradients[0].randomize(3);
          layer.forward();
          layer.backward();
          const auto y = layer.output().f32(), dx = layer.input_gradients[0].f32();
          std::vector<float> all(y.begin(), y.end());
          all.insert(all.end(), dx.begin(), dx.end());
          return all;
        };
        const double around = std::pow(2 * factor, static_cast<double>(shape.size()) - 2);
        CHECK(distance(run("own"), run("onednn")) <= around * 0x1p-22);
      }
}
