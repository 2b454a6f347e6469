// What holds for every layer that is Recurrent (recurrent.hpp), for its test. See testing.hpp.
//
//   const Entry kLstm = linked("acme.lstm");
//   check_recurrent(kLstm);
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "testing_layer.hpp"

namespace plait::sdk::testing {

struct RecurrentCase {
  std::vector<int64_t> x;  // [N, W, C]
  int units = 4;
  const char *direction = "forward", *output = "all";
  std::vector<int32_t> lengths = {};
};

inline LayerTest make_recurrent(TestHost& host, const Entry& entry, const RecurrentCase& c) {
  return LayerTest(
      host, entry,
      Settings(entry).set("units", c.units).set("direction", c.direction).set("output", c.output),
      {PartSpec("x", DType::f32, c.x, c.lengths.empty() ? -1 : 1)});
}
inline void set_lengths(LayerTest& layer, const RecurrentCase& c) {
  layer.inputs[0].lengths = layer.input_gradients[0].lengths = c.lengths;
  if (layer.output().spec().variable_axis == 1)
    layer.outputs[0].lengths = layer.output_gradients[0].lengths = c.lengths;
}
inline std::vector<float> copied(const TestTensor& t) {
  const auto values = t.f32();
  return {values.begin(), values.end()};
}

// Weight number k of all is ((7 k) mod 11 - 5) / 8, for values that were computed elsewhere.
inline void count_up(LayerTest& layer) {
  int k = 0;
  for (TestTensor& p : layer.parameters)
    for (float& value : p.f32()) value = static_cast<float>((k++ * 7) % 11 - 5) / 8;
}

// Gradients of all shapes, directions and outputs; central differences of step 4e-3 are off by 1e-7 / 4e-3 in
// rounding and by its square in truncation.
inline void check_recurrent_gradients(const Entry& entry) {
  for (const int lanes : {1, 2})
    for (const char* direction : {"forward", "backward"})
      for (const char* output : {"all", "last"})
        for (const RecurrentCase& c :
             {RecurrentCase{{1, 4, 3}, 5, direction, output}, RecurrentCase{{11, 3, 2}, 1, direction, output},
              RecurrentCase{{2, 5, 20}, 17, direction, output},
              RecurrentCase{{3, 4, 3}, 2, direction, output, {4, 1, 0}}}) {
          CAPTURE(direction);
          CAPTURE(output);
          CAPTURE(c.x[0]);
          TestHost host;
          host.lanes = lanes;
          LayerTest layer = make_recurrent(host, entry, c);
          set_lengths(layer, c);
          CHECK(layer.gradient_error(24, 4e-3) < 2e-3);
        }
}

// What is past a sample's length is not looked at, forward or backward, be it NaN; y and dx are 0 there.
inline void check_recurrent_lengths(const Entry& entry) {
  for (const char* direction : {"forward", "backward"}) {
    CAPTURE(direction);
    TestHost host;
    const RecurrentCase c{{2, 4, 3}, 2, direction, "all", {4, 2}};
    LayerTest layer = make_recurrent(host, entry, c);
    set_lengths(layer, c);
    layer.output_gradients[0].randomize(3);
    layer.forward();
    layer.backward();
    const std::vector<float> y = copied(layer.output()), dx = copied(layer.input_gradients[0]),
                             dw = copied(layer.parameter_gradients[1]);
    for (size_t i = 12; i < 16; ++i) CHECK(y[i] == 0);
    for (size_t i = 18; i < 24; ++i) CHECK(dx[i] == 0);
    for (size_t i = 18; i < 24; ++i) layer.input().f32()[i] = NAN;
    for (size_t i = 12; i < 16; ++i) layer.output_gradients[0].f32()[i] = NAN;
    layer.forward();
    layer.backward();
    CHECK(copied(layer.output()) == y);
    CHECK(copied(layer.input_gradients[0]) == dx);
    CHECK(copied(layer.parameter_gradients[1]) == dw);
  }
}

// Reading from the end is reading the mirrored sequence, and the last state is the one after the last step.
inline void check_recurrent_order(const Entry& entry) {
  constexpr size_t kSteps = 5, kUnits = 3;
  TestHost host;
  LayerTest there = make_recurrent(host, entry, {{1, kSteps, 1}, kUnits});
  LayerTest back = make_recurrent(host, entry, {{1, kSteps, 1}, kUnits, "backward"});
  LayerTest last = make_recurrent(host, entry, {{1, kSteps, 1}, kUnits, "backward", "last"});
  std::reverse_copy(there.input().f32().begin(), there.input().f32().end(), back.input().f32().begin());
  std::ranges::copy(back.input().f32(), last.input().f32().begin());
  for (LayerTest* layer : {&there, &back, &last}) layer->forward();
  for (size_t t = 0; t < kSteps; ++t)
    for (size_t u = 0; u < kUnits; ++u)
      CHECK(there.output().f32()[t * kUnits + u] == back.output().f32()[(kSteps - 1 - t) * kUnits + u]);
  CHECK(last.output().spec().shape == std::vector<int64_t>{1, kUnits});
  for (size_t u = 0; u < kUnits; ++u) CHECK(last.output().f32()[u] == back.output().f32()[u]);
}

// The same bits from call to call, with one lane and with two; and in evaluation as in training, up to the
// rounding of sums of another order.
inline void check_recurrent_bits(const Entry& entry) {
  const auto run = [&](int lanes) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer = make_recurrent(host, entry, {{19, 5, 7}, 18});
    layer.output_gradients[0].randomize(6);
    std::vector<float> all;
    for (int again = 0; again < 2; ++again) {
      layer.forward();
      layer.backward();
      for (const std::vector<float>& some :
           {copied(layer.output()), copied(layer.input_gradients[0]), copied(layer.parameter_gradients[0]),
            copied(layer.parameter_gradients[1])})
        all.insert(all.end(), some.begin(), some.end());
    }
    const auto half = all.begin() + static_cast<ptrdiff_t>(all.size() / 2);
    CHECK(std::equal(all.begin(), half, half));
    return all;
  };
  CHECK(run(1) == run(1));
  CHECK(run(2) == run(2));
}

// Learns to say at the end of four steps of noise what the first one was: sign in, sign out. Plain gradient
// descent on the sum of the state.
inline void check_recurrent_learns(const Entry& entry) {
  constexpr size_t kBatch = 32, kSteps = 4, kUnits = 8;
  TestHost host;
  LayerTest layer = make_recurrent(host, entry, {{kBatch, kSteps, 1}, kUnits, "forward", "last"});
  const auto loss = [&] {
    layer.forward();
    double sum = 0;
    for (size_t n = 0; n < kBatch; ++n) {
      const float wanted = layer.input().f32()[n * kSteps] > 0 ? 1.0f : -1.0f;
      float got = 0;
      for (size_t u = 0; u < kUnits; ++u) got += layer.output().f32()[n * kUnits + u];
      for (size_t u = 0; u < kUnits; ++u)
        layer.output_gradients[0].f32()[n * kUnits + u] = 2 * (got - wanted) / kBatch;
      sum += (got - wanted) * (got - wanted) / kBatch;
    }
    return sum;
  };
  const double before = loss();
  for (int step = 0; step < 1500; ++step) {
    layer.backward();
    for (size_t p = 0; p < 4; ++p)
      for (size_t i = 0; i < layer.parameters[p].f32().size(); ++i)
        layer.parameters[p].f32()[i] -= 0.2f * layer.parameter_gradients[p].f32()[i];
    loss();
  }
  const double after = loss();
  CAPTURE(before);
  CAPTURE(after);
  CHECK(before > 0.5);
  CHECK(after < 0.1);
}

inline void check_recurrent_refusals(const Entry& entry) {
  TestHost host;
  const auto fails = [&](std::vector<PartSpec> x, const char* words) {
    CHECK_THROWS_WITH_AS(LayerTest(host, entry, Settings(entry).set("units", 2), std::move(x)),
                         doctest::Contains(words), std::runtime_error);
  };
  fails({{"x", DType::f32, {2, 3}}}, "input is f32[2, 3], wanted f32 [N, W, C]");
  fails({{"x", DType::i32, {2, 3, 4}}}, "wanted f32 [N, W, C]");
  fails({{"x", DType::f32, {2, 0, 4}}}, "wanted at least one step and one channel");
  fails({{"x", DType::f32, {2, 3, 0}}}, "wanted at least one step and one channel");
  fails({{"x", DType::f32, {2, 3, 4}, 2}}, "axis 2 varies, wanted axis 1");
}

}  // namespace plait::sdk::testing
