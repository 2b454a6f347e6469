#include <doctest/doctest.h>
#include <plait/bf16.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {
const Entry kAdd = linked("plait.add");
}

TEST_CASE("add sums its inputs and gives each the gradient") {
  for (const int lanes : {1, 2}) {
    for (const int64_t channels : {1, 7, 9001}) {
      TestHost host;
      host.lanes = lanes;
      const PartSpec x("x", DType::f32, {2, channels});
      LayerTest layer(host, kAdd, Settings(kAdd), {x, x, x});
      layer.forward();
      for (size_t i = 0; i < layer.output().f32().size(); ++i) {
        CHECK(layer.output().f32()[i] ==
              (layer.input(0).f32()[i] + layer.input(1).f32()[i]) + layer.input(2).f32()[i]);
      }
      CHECK(layer.gradient_error(5) < 1e-3);
      layer.accumulate = true;
      layer.backward();
      for (size_t i = 0; i < 2; ++i) {
        CHECK(layer.input_gradients[2].f32()[i] == 2 * layer.output_gradients[0].f32()[i]);
      }
    }
  }
}

TEST_CASE("add refuses inputs that differ") {
  TestHost host;
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kAdd, Settings(kAdd), {{"x", DType::f32, {2, 3}}, {"x", DType::f32, {2, 4}}}),
      doctest::Contains("input 1 is f32[2, 4], wanted f32[2, 3] like input 0"), std::runtime_error);
}

TEST_CASE("add absorbs a function, and may write its first gradient over the output's") {
  for (const char* name : {"relu", "tanh", "linear"}) {
    CAPTURE(name);
    TestHost host;
    const PartSpec x("x", DType::f32, {3, 1777});
    LayerTest layer(host, kAdd, Settings(kAdd), {x, x}, {epilogue_of(name, 0.5, 2)});
    CHECK(layer.in_place);
    layer.output_gradients[0].randomize(6);
    layer.forward();
    layer.backward();
    for (size_t i = 0; i < layer.output().f32().size(); ++i) {
      const float sum = layer.input(0).f32()[i] + layer.input(1).f32()[i], y = layer.output().f32()[i];
      const bool is_relu = *name == 'r', is_tanh = *name == 't';
      const float f = is_relu ? (sum > 0 ? sum : 0.5f * sum) : is_tanh ? std::tanh(sum) : 0.5f * sum + 2;
      const float slope = is_relu ? (sum > 0 ? 1 : 0.5f) : is_tanh ? 1 - y * y : 0.5f;
      CHECK(std::abs(y - f) <= 4e-7f);  // of tanh some units of the last place
      const float dx = layer.input_gradients[0].f32()[i];
      CHECK(dx == doctest::Approx(layer.output_gradients[0].f32()[i] * slope).epsilon(1e-5).scale(1e-5));
      CHECK(layer.input_gradients[1].f32()[i] == dx);
    }
  }
}

// oneDNN is the reference: it adds in the order of the inputs, to the bit.
TEST_CASE("add's own loops are oneDNN's sum") {
  for (const int lanes : {1, 2}) {
    for (const size_t inputs : {2, 3, 5}) {
      TestHost host;
      host.lanes = lanes;
      const std::vector<PartSpec> x(inputs, {"x", DType::f32, {7, 33, 5}});
      LayerTest own(host, kAdd, Settings(kAdd).set("implementation", std::string("own")), x);
      LayerTest onednn(host, kAdd, Settings(kAdd).set("implementation", std::string("onednn")), x);
      for (LayerTest* layer : {&own, &onednn}) {
        for (size_t i = 0; i < inputs; ++i) layer->input(i).randomize(1 + i);
        layer->input(1).f32()[17] = NAN;
        layer->output_gradients[0].randomize(9);
        layer->forward();
        layer->backward();
      }
      CHECK(std::isnan(onednn.output().f32()[17]));
      own.output().f32()[17] = onednn.output().f32()[17] = 0;
      CHECK(std::ranges::equal(own.output().f32(), onednn.output().f32()));
      for (size_t i = 0; i < inputs; ++i)
        CHECK(std::ranges::equal(own.input_gradients[i].f32(), onednn.input_gradients[i].f32()));
    }
  }
}

TEST_CASE("add by oneDNN takes no more inputs than a call has places for") {
  TestHost host;
  const std::vector<PartSpec> x(16, {"x", DType::f32, {2, 3}});
  CHECK_THROWS_WITH_AS(LayerTest(host, kAdd, Settings(kAdd).set("implementation", std::string("onednn")), x),
                       doctest::Contains("joins 15 inputs at most here, got 16"), std::runtime_error);
}

TEST_CASE("add in bf16 rounds its sum once, after what it absorbs, and undoes that from what it wrote") {
  for (const char* name : {"", "relu", "linear"}) {
    CAPTURE(name);
    TestHost host;
    const PartSpec x("x", DType::bf16, {3, 1777});
    std::vector<plait_epilogue> absorbed;
    if (*name != 0) absorbed.push_back(epilogue_of(name, 0.5, 2));
    LayerTest layer(host, kAdd, Settings(kAdd), {x, x, x}, absorbed);
    const auto bits = [](const TestTensor& t) { return t.view().data<uint16_t>(); };
    for (size_t i = 0; i < 3 * 1777; ++i) {
      for (size_t k = 0; k < 3; ++k)
        bits(layer.inputs[k])[i] = bf16_of_f32(static_cast<float>((i * (7 + k)) % 301) - 150);
      bits(layer.output_gradients[0])[i] = bf16_of_f32(static_cast<float>(i % 128) - 64);
    }
    layer.forward();
    layer.backward();
    size_t wrong = 0;
    for (size_t i = 0; i < 3 * 1777; ++i) {
      float sum = 0;  // of whole numbers: exact
      for (size_t k = 0; k < 3; ++k) sum += f32_of_bf16(bits(layer.inputs[k])[i]);
      const bool is_relu = *name == 'r', is_plain = *name == 0;
      const float f = is_plain ? sum : is_relu ? (sum > 0 ? sum : 0.5f * sum) : 0.5f * sum + 2;
      const float slope = is_plain || (is_relu && sum > 0) ? 1 : 0.5f;
      const float dx = slope * f32_of_bf16(bits(layer.output_gradients[0])[i]);
      wrong += bits(layer.outputs[0])[i] != bf16_of_f32(f) ? 1 : 0;
      for (size_t k = 0; k < 3; ++k) wrong += bits(layer.input_gradients[k])[i] != bf16_of_f32(dx) ? 1 : 0;
    }
    CHECK(wrong == 0);
  }
}
