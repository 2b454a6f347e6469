#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kSoftmax = linked("plait.softmax");

}  // namespace

// PyTorch 2.15; both are off by some roundings of f32.
TEST_CASE("softmax is PyTorch's, and its gradient") {
  TestHost host;
  LayerTest layer(host, kSoftmax, Settings(kSoftmax), {{"x", DType::f32, {2, 4}}});
  layer.input().fill({1, 2, 3, -4, 0.5f, -0.5f, 90, 88});
  layer.output_gradients[0].fill({1, -2, 0.5f, 3, -1, 2, 0.25f, 4});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {0.0899759904f, 0.244580105f, 0.664837658f, 0.000606253452f, 0, 0,
                                0.880797029f,  0.119202912f};
  const std::vector<float> dx = {0.0958196297f, -0.473275542f, 0.375597805f, 0.00185813452f, 0, 0,
                                 -0.393725842f, 0.393725902f};
  CHECK(layer.in_place);
  CHECK(distance(layer.output().f32(), y) <= 4e-7);
  CHECK(distance(layer.input_gradients[0].f32(), dx) <= 4e-7);
}

TEST_CASE("softmax by hand") {
  TestHost host;
  LayerTest layer(host, kSoftmax, Settings(kSoftmax), {{"x", DType::f32, {1, 2}}});
  layer.input().fill({0, 1.0986123f});  // ln 3: shares of 1 and 3
  layer.forward();
  CHECK(layer.output().f32()[0] == doctest::Approx(0.25).epsilon(1e-6));
  CHECK(layer.output().f32()[1] == doctest::Approx(0.75).epsilon(1e-6));
}

// Rows of more numbers than a vector has lanes, and of more than a block of sums.
TEST_CASE("softmax gradients, and the same for any lanes") {
  for (const int64_t channels : {1, 3, 37, 200}) {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kSoftmax, Settings(kSoftmax), {{"x", DType::f32, {300, 2, channels}}});
      CHECK(layer.gradient_error(40) < 1e-3);
      const Out y = layer.output().f32();
      if (lanes == 1) of_one.assign(y.begin(), y.end());
      CHECK(std::equal(y.begin(), y.end(), of_one.begin()));
    }
  }
}

TEST_CASE("softmax of scores far apart, of -infinity and NaN") {
  TestHost host;
  LayerTest layer(host, kSoftmax, Settings(kSoftmax), {{"x", DType::f32, {3, 2}}});
  layer.input().fill({1e30f, -1e30f, 3, -INFINITY, 1, NAN});
  layer.forward();
  const Out y = layer.output().f32();
  CHECK(y[0] == 1);
  CHECK(y[1] == 0);
  CHECK(y[2] == 1);
  CHECK(y[3] == 0);
  CHECK(std::isnan(y[4]));
  CHECK(std::isnan(y[5]));
}

TEST_CASE("softmax refuses a vector of samples") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kSoftmax, Settings(kSoftmax), {{"x", DType::f32, {4}}}),
                       doctest::Contains("input is f32[4], wanted f32 [N, ..., C]"), std::runtime_error);
}

// oneDNN's is the reference. Its sums are of f32: off by a rounding a term, where the own loops' are of f64;
// besides, the functions of both are off by some units of the last place.
TEST_CASE("softmax's own loops are oneDNN's") {
  for (const int64_t channels : {1, 3, 10, 37, 200, 1000}) {
    CAPTURE(channels);
    TestHost host;
    const auto run = [&](const char* implementation) {
      LayerTest layer(host, kSoftmax, Settings(kSoftmax).set("implementation", implementation),
                      {{"x", DType::f32, {30, 2, channels}}});
      layer.output_gradients[0].randomize(3);
      layer.forward();
      layer.backward();
      const auto y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      std::vector<float> all(y.begin(), y.end());
      all.insert(all.end(), dx.begin(), dx.end());
      return all;
    };
    CHECK(distance(run("own"), run("onednn")) <= channels * 0x1p-24 + 4e-7);
  }
}

TEST_CASE("softmax by oneDNN: gradients, and of no sample") {
  TestHost host;
  LayerTest layer(host, kSoftmax, Settings(kSoftmax).set("implementation", "onednn"),
                  {{"x", DType::f32, {5, 2, 7}}});
  CHECK(layer.gradient_error(40) < 1e-3);
  LayerTest none(host, kSoftmax, Settings(kSoftmax).set("implementation", "onednn"),
                 {{"x", DType::f32, {0, 7}}});
  none.forward();
  none.backward();
}
