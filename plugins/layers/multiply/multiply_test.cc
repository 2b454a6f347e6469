#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kMultiply = linked("plait.multiply");

}  // namespace

// By hand: products, and dy times the others.
TEST_CASE("multiply of three inputs") {
  TestHost host;
  const PartSpec x("x", DType::f32, {1, 2});
  LayerTest layer(host, kMultiply, Settings(kMultiply), {x, x, x});
  layer.input(0).fill({2, -1});
  layer.input(1).fill({3, 4});
  layer.input(2).fill({5, 0.5f});
  layer.output_gradients[0].fill({1, 10});
  layer.forward();
  layer.backward();
  CHECK(std::ranges::equal(layer.output().f32(), std::vector<float>{30, -2}));
  CHECK(std::ranges::equal(layer.input_gradients[0].f32(), std::vector<float>{15, 20}));
  CHECK(std::ranges::equal(layer.input_gradients[1].f32(), std::vector<float>{10, -5}));
  CHECK(std::ranges::equal(layer.input_gradients[2].f32(), std::vector<float>{6, -40}));
}

// By hand: a factor for each of two channels, of two places.
TEST_CASE("multiply by a factor for each channel") {
  TestHost host;
  LayerTest layer(host, kMultiply, Settings(kMultiply),
                  {{"x", DType::f32, {1, 2, 2}}, {"f", DType::f32, {1, 2}}});
  layer.input(0).fill({1, 2, 3, 4});
  layer.input(1).fill({10, -1});
  layer.output_gradients[0].fill({1, 2, 3, 4});
  layer.forward();
  layer.backward();
  CHECK(std::ranges::equal(layer.output().f32(), std::vector<float>{10, -2, 30, -4}));
  CHECK(std::ranges::equal(layer.input_gradients[0].f32(), std::vector<float>{10, -2, 30, -4}));
  CHECK(std::ranges::equal(layer.input_gradients[1].f32(), std::vector<float>{10, 20}));
}

TEST_CASE("multiply gradients, added to where told, for any lanes") {
  for (const size_t inputs : {2, 3, 5}) {
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kMultiply, Settings(kMultiply),
                      std::vector<PartSpec>(inputs, {"x", DType::f32, {3, 9001}}));
      CHECK(layer.gradient_error(10) < 1e-3);
      const Out dx = layer.input_gradients[inputs - 1].f32();
      const std::vector<float> once(dx.begin(), dx.end());
      layer.accumulate = true;
      layer.backward();
      for (size_t i = 0; i < once.size(); i += 100) CHECK(dx[i] == 2 * once[i]);
    }
  }
}

TEST_CASE("multiply by channels: gradients, added to where told, the same for any lanes") {
  std::vector<float> of_one;
  for (const int lanes : {1, 2}) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kMultiply, Settings(kMultiply),
                    {{"x", DType::f32, {9, 20, 30, 7}}, {"f", DType::f32, {9, 7}}});
    CHECK(layer.gradient_error(30) < 1e-3);
    layer.accumulate = true;
    const Out df = layer.input_gradients[1].f32();
    const std::vector<float> once(df.begin(), df.end());
    if (lanes == 1) of_one = once;
    CHECK(once == of_one);
    layer.backward();
    for (size_t i = 0; i < once.size(); ++i) CHECK(df[i] == doctest::Approx(2 * once[i]));
  }
}

TEST_CASE("multiply refuses inputs that differ") {
  TestHost host;
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kMultiply, Settings(kMultiply), {{"x", DType::f32, {2, 3}}, {"x", DType::f32, {2, 4}}}),
      doctest::Contains("input 1 is f32[2, 4], wanted f32[2, 3] like input 0"), std::runtime_error);
}

// oneDNN is the reference: it multiplies in the order of the inputs, to the bit.
TEST_CASE("multiply's own loops are oneDNN's binary, alike and by channel") {
  using Shapes = std::vector<PartSpec>;
  for (const int lanes : {1, 2}) {
    for (const Shapes& x :
         {Shapes(2, {"x", DType::f32, {7, 33, 5}}), Shapes(3, {"x", DType::f32, {7, 33, 5}}),
          Shapes{{"x", DType::f32, {3, 4, 5, 37}}, {"f", DType::f32, {3, 37}}}}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest own(host, kMultiply, Settings(kMultiply).set("implementation", std::string("own")), x);
      LayerTest onednn(host, kMultiply, Settings(kMultiply).set("implementation", std::string("onednn")), x);
      for (LayerTest* layer : {&own, &onednn}) {
        for (size_t i = 0; i < x.size(); ++i) layer->input(i).randomize(1 + i);
        layer->output_gradients[0].randomize(9);
        layer->forward();
        layer->backward();
      }
      CHECK(std::ranges::equal(own.output().f32(), onednn.output().f32()));
      for (size_t i = 0; i < x.size(); ++i)
        CHECK(std::ranges::equal(own.input_gradients[i].f32(), onednn.input_gradients[i].f32()));
      onednn.input(1).f32()[2] = NAN;
      onednn.forward();
      CHECK(std::isnan(onednn.output().f32()[2]));
    }
  }
}
