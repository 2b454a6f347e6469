#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {
const Entry kConcat = linked("plait.concat");

LayerTest join(TestHost& host, int axis, std::vector<PartSpec> inputs) {
  return LayerTest(host, kConcat, Settings(kConcat).set("axis", axis), std::move(inputs));
}
}  // namespace

TEST_CASE("concat along the channels, by default") {
  TestHost host;
  LayerTest layer(host, kConcat, Settings(kConcat),
                  {{"a", DType::f32, {2, 1, 2}}, {"b", DType::f32, {2, 1, 1}}});
  layer.input(0).fill({1, 2, 3, 4});
  layer.input(1).fill({5, 6});
  layer.forward();
  const std::vector<float> wanted = {1, 2, 5, 3, 4, 6};
  for (size_t i = 0; i < 6; ++i) CHECK(layer.output().f32()[i] == wanted[i]);
}

TEST_CASE("concat gives each input its part of the gradient") {
  for (const int lanes : {1, 2}) {
    TestHost host;
    host.lanes = lanes;
    for (const int axis : {1, -2}) {
      LayerTest layer = join(host, axis, {{"a", DType::f32, {3, 2, 5}}, {"b", DType::f32, {3, 4, 5}}});
      CHECK(layer.output().spec().shape == std::vector<int64_t>{3, 6, 5});
      CHECK(layer.gradient_error(30) < 1e-3);
    }
  }
}

TEST_CASE("concat says what does not fit") {
  TestHost host;
  const PartSpec a("a", DType::f32, {2, 3, 4}), b("b", DType::f32, {2, 2, 4});
  CHECK_THROWS_WITH_AS(join(host, -1, {a, b}), doctest::Contains("input 1 is f32[2, 2, 4]"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(join(host, 0, {a, a}), doctest::Contains("batch"), std::runtime_error);
  CHECK_THROWS_WITH_AS(join(host, 3, {a, a}), doctest::Contains("axis 3"), std::runtime_error);
}

// oneDNN is the reference: numbers are copied.
TEST_CASE("concat's own loops are oneDNN's") {
  for (const int lanes : {1, 2}) {
    for (const int axis : {1, 2, -1}) {
      TestHost host;
      host.lanes = lanes;
      std::vector<PartSpec> x(3, {"x", DType::f32, {3, 5, 7, 18}});
      x[1].shape[static_cast<size_t>(axis < 0 ? 3 : axis)] = 2;
      const auto made = [&](const char* whose) {
        return Settings(kConcat).set("axis", axis).set("implementation", std::string(whose));
      };
      LayerTest own(host, kConcat, made("own"), x), onednn(host, kConcat, made("onednn"), x);
      for (LayerTest* layer : {&own, &onednn}) {
        for (size_t i = 0; i < 3; ++i) layer->input(i).randomize(1 + i);
        layer->output_gradients[0].randomize(9);
        layer->forward();
        layer->backward();
      }
      CHECK(std::ranges::equal(own.output().f32(), onednn.output().f32()));
      for (size_t i = 0; i < 3; ++i)
        CHECK(std::ranges::equal(own.input_gradients[i].f32(), onednn.input_gradients[i].f32()));
    }
  }
}
