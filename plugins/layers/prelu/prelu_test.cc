#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kPrelu = linked("plait.prelu");

}  // namespace

// By hand, and PyTorch 2.15 has the same.
TEST_CASE("prelu has a slope for each channel, and its gradient") {
  TestHost host;
  LayerTest layer(host, kPrelu, Settings(kPrelu), {{"x", DType::f32, {2, 3}}});
  layer.input().fill({-1, 2, -3, 4, -5, -6});
  layer.parameters[0].fill({0.25f, 0.5f, -0.1f});
  layer.output_gradients[0].fill({1, 2, 3, -1, 0.5f, 2});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-0.25f, 2, 0.3f, 4, -2.5f, 0.6f}, dx = {0.25f, 2, -0.3f, -1, 0.25f, -0.2f};
  CHECK(distance(layer.output().f32(), y) <= 1e-7);
  CHECK(distance(layer.input_gradients[0].f32(), dx) <= 1e-7);
  CHECK(layer.parameter_gradients[0].f32()[0] == -1);
  CHECK(layer.parameter_gradients[0].f32()[1] == -2.5f);
  CHECK(layer.parameter_gradients[0].f32()[2] == -21);
}

TEST_CASE("prelu of one slope adds up over all channels") {
  TestHost host;
  LayerTest layer(host, kPrelu, Settings(kPrelu).set("shared", true), {{"x", DType::f32, {2, 2}}});
  layer.input().fill({-1, 2, -3, -4});
  layer.parameters[0].fill({0.5f});
  layer.output_gradients[0].fill({1, 2, 3, 4});
  layer.forward();
  layer.backward();
  CHECK(layer.parameters[0].f32().size() == 1);
  CHECK(layer.output().f32()[3] == -2);
  CHECK(layer.parameter_gradients[0].f32()[0] == -1 - 9 - 16);
}

TEST_CASE("prelu gradients do not depend on lanes") {
  const auto run = [](int lanes) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kPrelu, Settings(kPrelu), {{"x", DType::f32, {40, 30, 17}}});
    layer.output_gradients[0].randomize(5);
    layer.forward();
    layer.backward();
    const Out dw = layer.parameter_gradients[0].f32();
    return std::vector<float>(dw.begin(), dw.end());
  };
  CHECK(run(1) == run(2));
}

TEST_CASE("prelu refuses what has no channels") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kPrelu, Settings(kPrelu), {{"x", DType::f32, {4}}}),
                       doctest::Contains("input is f32[4], wanted f32 [N, ..., C]"), std::runtime_error);
}

// oneDNN is the reference. It sums up to 1,200 products of the slopes' gradient in f32, each off by half a
// unit of 2^-24 of numbers of about 1: 1e-5 of them, as |got - wanted| / (1 + |wanted|).
TEST_CASE("prelu's own loops are oneDNN's") {
  for (const int lanes : {1, 2}) {
    for (const bool shared : {false, true}) {
      for (const bool needs_dx : {true, false}) {
        TestHost host;
        host.lanes = lanes;
        const auto made = [&](const char* whose) {
          return Settings(kPrelu).set("shared", shared).set("implementation", std::string(whose));
        };
        const std::vector<PartSpec> x = {{"x", DType::f32, {40, 30, 17}}};
        LayerTest own(host, kPrelu, made("own"), x, {}, needs_dx);
        LayerTest onednn(host, kPrelu, made("onednn"), x, {}, needs_dx);
        for (LayerTest* layer : {&own, &onednn}) {
          layer->input().randomize(1);
          layer->output_gradients[0].randomize(2);
          layer->forward();
          layer->backward();
        }
        CHECK(distance(own.output().f32(), onednn.output().f32()) <= 1e-6);
        CHECK(distance(own.parameter_gradients[0].f32(), onednn.parameter_gradients[0].f32()) <= 1e-5);
        if (needs_dx) CHECK(distance(own.input_gradients[0].f32(), onednn.input_gradients[0].f32()) <= 1e-6);
      }
    }
  }
}

TEST_CASE("prelu hides no NaN, by oneDNN neither") {
  for (const char* whose : {"own", "onednn"}) {
    TestHost host;
    LayerTest layer(host, kPrelu, Settings(kPrelu).set("implementation", std::string(whose)),
                    {{"x", DType::f32, {1, 19}}});
    std::ranges::fill(layer.input().f32(), NAN);
    layer.forward();
    for (const float y : layer.output().f32()) CHECK(std::isnan(y));
  }
}
