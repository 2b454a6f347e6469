#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kInstanceNorm = linked("plait.instance_norm");

// (i factor mod modulus) / 8 - modulus / 16: numbers that f32 holds, as PyTorch was given them.
void fill_pattern(Out to, size_t factor, size_t modulus) {
  for (size_t i = 0; i < to.size(); ++i)
    to[i] = static_cast<float>(i * factor % modulus) / 8 - static_cast<float>(modulus) / 16;
}

}  // namespace

// PyTorch 2.15 (torch.nn.InstanceNorm2d), in f32: each is off by some roundings of numbers of about 3.
TEST_CASE("instance_norm is PyTorch's, forward and backward") {
  TestHost host;
  LayerTest layer(host, kInstanceNorm, Settings(kInstanceNorm).set("affine", true).set("epsilon", 1e-3),
                  {{"x", DType::f32, {2, 2, 2, 4}}});
  fill_pattern(layer.input().f32(), 7, 23);
  fill_pattern(layer.output_gradients[0].f32(), 5, 13);
  layer.parameters[0].fill({1.5f, -0.5f, 2, 0.25f});
  layer.parameters[1].fill({0.5f, -1, 0, 3});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {
      -1.51040351f,  -0.329865515f, 1.14797592f,  3.36642122f,   -0.1701345f,   -0.776621878f, 2.58294582f,
      2.68995118f,   1.17013454f,   -1.22337818f, -2.58294582f,  2.87785959f,   2.51040339f,   -1.67013454f,
      -1.14797592f,  3.06576777f,   2.69852734f,  -0.329865515f, -0.526143312f, 3.36642122f,   -1.3602922f,
      -0.776621819f, 0.97712326f,   2.68995118f,  -0.232842386f, -1.22337818f,  2.48038983f,   2.87785959f,
      0.894607484f,  -1.67013454f,  -2.93136978f, 3.065768f};
  const std::vector<float> dx = {-0.34994927f,  0.347894669f,  0.97159791f,   -0.0530316606f, 1.04491675f,
                                 -0.464818329f, -0.432724774f, 0.0304184575f, -1.04491675f,   -0.115964897f,
                                 0.432724774f,  -0.145176649f, 0.34994927f,   0.232888579f,   -0.97159791f,
                                 0.167789862f,  -0.318189979f, -0.116375796f, 1.52142739f,    -0.0530316606f,
                                 0.182510749f,  0.348396868f,  0.309876412f,  0.0304184575f,  -0.871059895f,
                                 -0.348396868f, -0.901674628f, -0.145176649f, 1.00673914f,    0.116375796f,
                                 -0.929629207f, 0.167789862f};
  const std::vector<float> dweight = {0.122032583f, -1.6194917f, -2.08195686f, -1.76633823f};
  const std::vector<float> dbias = {-1.5f, -1.375f, 0.375f, 0.5f};
  CHECK(distance(layer.output().f32(), y) <= 1e-6);
  CHECK(distance(layer.input_gradients[0].f32(), dx) <= 1e-6);
  CHECK(distance(layer.parameter_gradients[0].f32(), dweight) <= 1e-6);
  CHECK(distance(layer.parameter_gradients[1].f32(), dbias) <= 1e-6);
}

// A channel of 1, 3, 5, 7: mean 4, variance 5, with epsilon 4 a deviation of 3; one of 2, 2, 2, 2.
TEST_CASE("instance_norm by hand, without weights") {
  TestHost host;
  LayerTest layer(host, kInstanceNorm, Settings(kInstanceNorm).set("epsilon", 4.0),
                  {{"x", DType::f32, {1, 4, 2}}});
  CHECK(layer.parameters.empty());
  layer.input().fill({1, 2, 3, 2, 5, 2, 7, 2});
  layer.output_gradients[0].fill({3, 4, 0, 0, 0, 0, 0, 0});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-1, 0, -1 / 3.0f, 0, 1 / 3.0f, 0, 1, 0};
  // 1/3 (dy - 3/4 - z mean(dy z)) with the mean -3/4, and 1/2 (dy - 1).
  const std::vector<float> dx = {0.5f, 1.5f, -1 / 3.0f, -0.5f, -1 / 6.0f, -0.5f, 0, -0.5f};
  CHECK(distance(layer.output().f32(), y) <= 1e-6);
  CHECK(distance(layer.input_gradients[0].f32(), dx) <= 1e-6);
}

TEST_CASE("instance_norm gradients, and the same bits for any lanes") {
  for (const bool affine : {false, true}) {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kInstanceNorm, Settings(kInstanceNorm).set("affine", affine).set("epsilon", 1e-2),
                      {{"x", DType::f32, {5, 30, 11, 19}}});
      CHECK(layer.gradient_error(30, 4e-3) < 2e-3);
      layer.backward();
      const Out dx = layer.input_gradients[0].f32();
      if (lanes == 1) of_one.assign(dx.begin(), dx.end());
      CHECK(std::equal(dx.begin(), dx.end(), of_one.begin()));
    }
  }
}

TEST_CASE("instance_norm refuses samples of one place") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kInstanceNorm, Settings(kInstanceNorm), {{"x", DType::f32, {4, 3}}}),
                       doctest::Contains("one number a group (3 of 3 channels) is its own mean"),
                       std::runtime_error);
}
