#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kCell = linked("plait.recurrent_cell");

LayerTest make(TestHost& host, const char* cell, std::vector<int64_t> shape, int units,
               int variable_axis = -1) {
  return LayerTest(host, kCell, Settings(kCell).set("cell", cell).set("units", units),
                   {PartSpec("x", DType::f32, std::move(shape), variable_axis)});
}

}  // namespace

TEST_CASE("recurrent_cell of one unit, worked by hand") {
  TestHost host;
  LayerTest elman = make(host, "elman", {1, 2, 1}, 1);
  elman.input().fill({0.5f, -1});
  for (size_t p = 0; p < 4; ++p) elman.parameters[p].fill({p == 0 ? 2.0f : p == 1 ? 3.0f : 0.25f});
  elman.forward();
  const double first = std::tanh(2 * 0.5 + 0.5), second = std::tanh(2 * -1 + 3 * first + 0.5);
  CHECK(elman.output().f32()[0] == doctest::Approx(first));
  CHECK(elman.output().f32()[1] == doctest::Approx(second));

  LayerTest gru = make(host, "gru", {1, 1, 1}, 1);
  gru.input().fill({1});
  for (size_t p = 0; p < 4; ++p) gru.parameters[p].fill({1, 2, 3});
  gru.forward();
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  const double r = sigmoid(3), z = sigmoid(6), n = std::tanh(6 + r * 3);
  CHECK(gru.output().f32()[0] == doctest::Approx((1 - z) * n));
}

TEST_CASE("recurrent_cell gradients") {
  for (const int lanes : {1, 2}) {
    for (const char* cell : {"elman", "gru"}) {
      for (const std::vector<int64_t>& shape : {std::vector<int64_t>{1, 4, 3}, {11, 3, 2}, {2, 5, 20}}) {
        CAPTURE(cell);
        TestHost host;
        host.lanes = lanes;
        CHECK(make(host, cell, shape, 5).gradient_error(40, 4e-3) < 2e-3);
      }
    }
  }
}

TEST_CASE("recurrent_cell does not look past a sequence's length") {
  TestHost host;
  for (const char* cell : {"elman", "gru"}) {
    LayerTest layer = make(host, cell, {2, 4, 3}, 2, 1);
    CHECK(layer.output().spec().variable_axis == 1);
    for (TestTensor* t : {&layer.inputs[0], &layer.outputs[0]}) t->lengths = {4, 2};
    CHECK(layer.gradient_error(24, 4e-3) < 2e-3);
    const Out y = layer.output().f32(), dx = layer.input_gradients[0].f32();
    const std::vector<float> before(y.begin(), y.end());
    for (size_t i = 12; i < 16; ++i) CHECK(y[i] == 0);
    for (size_t i = 18; i < 24; ++i) {
      CHECK(dx[i] == 0);
      layer.input().f32()[i] = 100;
    }
    layer.forward();
    CHECK(std::equal(before.begin(), before.end(), y.begin()));
  }
}

TEST_CASE("recurrent_cell gives the same bits with one lane and with two") {
  const auto run = [](int lanes) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer = make(host, "gru", {19, 5, 7}, 18);
    layer.output_gradients[0].randomize(6);
    layer.forward();
    layer.backward();
    const Out w = layer.parameter_gradients[0].f32();
    return std::vector<float>(w.begin(), w.end());
  };
  CHECK(run(1) == run(2));
}
