#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kLogSoftmax = linked("plait.log_softmax");

}  // namespace

// PyTorch 2.15; both are off by some roundings of f32.
TEST_CASE("log_softmax is PyTorch's, and its gradient") {
  TestHost host;
  LayerTest layer(host, kLogSoftmax, Settings(kLogSoftmax), {{"x", DType::f32, {2, 4}}});
  layer.input().fill({1, 2, 3, -4, 0.5f, -0.5f, 90, 88});
  layer.output_gradients[0].fill({1, -2, 0.5f, 3, -1, 2, 0.25f, 4});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-2.40821242f, -1.40821242f, -0.408212364f, -7.40821218f,
                                -89.6269302f, -90.6269302f, -0.126928046f, -2.12692809f};
  const std::vector<float> dx = {0.775059998f, -2.6114502f, -1.16209412f, 2.99848437f,
                                 -1,           2,           -4.37418461f, 3.37418461f};
  CHECK(layer.in_place);
  CHECK(distance(layer.output().f32(), y) <= 4e-7);
  CHECK(distance(layer.input_gradients[0].f32(), dx) <= 4e-7);
}

TEST_CASE("log_softmax by hand") {
  TestHost host;
  LayerTest layer(host, kLogSoftmax, Settings(kLogSoftmax), {{"x", DType::f32, {1, 2}}});
  layer.input().fill({0, 1.0986123f});  // ln 3: shares of 1 and 3
  layer.forward();
  CHECK(layer.output().f32()[0] == doctest::Approx(-1.3862944).epsilon(1e-6));
  CHECK(layer.output().f32()[1] == doctest::Approx(-0.28768207).epsilon(1e-6));
}

// Rows of more numbers than a vector has lanes, and of more than a block of sums.
TEST_CASE("log_softmax gradients, and the same for any lanes") {
  for (const int64_t channels : {1, 3, 37, 200}) {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kLogSoftmax, Settings(kLogSoftmax), {{"x", DType::f32, {300, 2, channels}}});
      CHECK(layer.gradient_error(40) < 1e-3);
      const Out y = layer.output().f32();
      if (lanes == 1) of_one.assign(y.begin(), y.end());
      CHECK(std::equal(y.begin(), y.end(), of_one.begin()));
    }
  }
}

TEST_CASE("log_softmax of scores far apart, of -infinity and NaN") {
  TestHost host;
  LayerTest layer(host, kLogSoftmax, Settings(kLogSoftmax), {{"x", DType::f32, {3, 2}}});
  layer.input().fill({1e30f, -1e30f, 3, -INFINITY, 1, NAN});
  layer.forward();
  const Out y = layer.output().f32();
  CHECK(y[0] == 0);
  CHECK(y[1] == -2e30f);
  CHECK(y[2] == 0);
  CHECK(y[3] == -INFINITY);
  CHECK(std::isnan(y[4]));
  CHECK(std::isnan(y[5]));
}

TEST_CASE("log_softmax refuses a vector of samples") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kLogSoftmax, Settings(kLogSoftmax), {{"x", DType::f32, {4}}}),
                       doctest::Contains("input is f32[4], wanted f32 [N, ..., C]"), std::runtime_error);
}

// oneDNN's is the reference. Its sums are of f32, off by a rounding a term, and its logarithm by up to 4e-6
// where that is small; PyTorch's values above hold the own loops closer.
TEST_CASE("log_softmax's own loops are oneDNN's") {
  for (const int64_t channels : {1, 3, 10, 37, 200, 1000}) {
    CAPTURE(channels);
    TestHost host;
    const auto run = [&](const char* implementation) {
      LayerTest layer(host, kLogSoftmax, Settings(kLogSoftmax).set("implementation", implementation),
                      {{"x", DType::f32, {30, 2, channels}}});
      layer.output_gradients[0].randomize(3);
      layer.forward();
      layer.backward();
      const auto y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      std::vector<float> all(y.begin(), y.end());
      all.insert(all.end(), dx.begin(), dx.end());
      return all;
    };
    CHECK(distance(run("own"), run("onednn")) <= channels * 0x1p-24 + 5e-6);
  }
}

TEST_CASE("log_softmax by oneDNN: gradients, and of no sample") {
  TestHost host;
  LayerTest layer(host, kLogSoftmax, Settings(kLogSoftmax).set("implementation", "onednn"),
                  {{"x", DType::f32, {5, 2, 7}}});
  CHECK(layer.gradient_error(40) < 1e-3);
  LayerTest none(host, kLogSoftmax, Settings(kLogSoftmax).set("implementation", "onednn"),
                 {{"x", DType::f32, {0, 7}}});
  none.forward();
  none.backward();
}
