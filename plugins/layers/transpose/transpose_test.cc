#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kTranspose = linked("plait.transpose");

}  // namespace

// PyTorch 2.15.
TEST_CASE("transpose of the last two axes") {
  TestHost host;
  LayerTest layer(host, kTranspose, Settings(kTranspose), {{"x", DType::f32, {2, 2, 3}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3, 2, 2, -3, -2, 5, -4});
  layer.output_gradients[0].fill({-1, -4, -1, -3, 1, 0, 5, 5, 0, 1, -3, -1});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-4, 5, 4, -2, -4, -3, 2, -2, 2, 5, -3, -4};
  const std::vector<float> dx = {-1, -1, 1, -4, -3, 0, 5, 0, -3, 5, 1, -1};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{2, 3, 2});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

// PyTorch 2.15.
TEST_CASE("transpose of three axes") {
  TestHost host;
  LayerTest layer(host, kTranspose, Settings(kTranspose).set("axes", 3).add("axes", 1).add("axes", 2),
                  {{"x", DType::f32, {1, 2, 3, 2}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3, 2, 2, -3, -2, 5, -4});
  layer.output_gradients[0].fill({-1, -4, -1, -3, 1, 0, 5, 5, 0, 1, -3, -1});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-4, -4, -2, 2, -3, 5, 4, 5, -3, 2, -2, -4};
  const std::vector<float> dx = {-1, 5, -4, 5, -1, 0, -3, 1, 1, -3, 0, -1};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{1, 2, 2, 3});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

TEST_CASE("transpose gradients, and the same for any lanes") {
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kTranspose, Settings(kTranspose), {{"x", DType::f32, {5, 4, 6, 7}}});
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
      LayerTest layer(host, kTranspose,
                      Settings(kTranspose).set("axes", 4).add("axes", 3).add("axes", 2).add("axes", 1),
                      {{"x", DType::f32, {30, 4, 3, 5, 7}}});
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

TEST_CASE("transpose refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kTranspose, Settings(kTranspose).set("axes", 1).add("axes", 1),
                {{"x", DType::f32, {1, 3, 2}}}),
      doctest::Contains("axes are [1, 1], and the input is f32[1, 3, 2]: wanted each of 1 to 2 once"),
      std::runtime_error);
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kTranspose, Settings(kTranspose).set("axes", 2), {{"x", DType::f32, {1, 3, 2}}}),
      doctest::Contains("axes are [2]"), std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kTranspose, Settings(kTranspose), {{"x", DType::f32, {4, 5}}}),
                       doctest::Contains("input is f32[4, 5], wanted f32 [N, ...] of 3 axes or more"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kTranspose, Settings(kTranspose), {{"x", DType::f32, {2, 4, 3}, 1}}),
                       doctest::Contains("axis 1 of the input varies"), std::runtime_error);
}

// oneDNN is the reference: numbers are moved.
TEST_CASE("transpose's own loops are oneDNN's reorder") {
  for (const int lanes : {1, 2}) {
    for (const std::vector<int64_t>& axes :
         {std::vector<int64_t>{3, 1, 2}, {2, 1, 3}, {1, 3, 2}, {3, 2, 1}, {1, 2, 3}}) {
      TestHost host;
      host.lanes = lanes;
      const auto made = [&](const char* whose) {
        Settings s = Settings(kTranspose).set("implementation", std::string(whose)).clear("axes");
        for (const int64_t axis : axes) s.add("axes", axis);
        return s;
      };
      LayerTest own(host, kTranspose, made("own"), {{"x", DType::f32, {3, 5, 18, 33}}});
      LayerTest onednn(host, kTranspose, made("onednn"), {{"x", DType::f32, {3, 5, 18, 33}}});
      for (LayerTest* layer : {&own, &onednn}) {
        layer->input().randomize(1);
        layer->output_gradients[0].randomize(2);
        layer->forward();
        layer->backward();
      }
      CHECK(std::ranges::equal(own.output().f32(), onednn.output().f32()));
      CHECK(std::ranges::equal(own.input_gradients[0].f32(), onednn.input_gradients[0].f32()));
    }
  }
}
