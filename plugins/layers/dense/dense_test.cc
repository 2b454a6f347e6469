#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include "gradient_sums.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kDense = linked("plait.dense");

LayerTest dense(TestHost& host, std::vector<int64_t> shape, int units, bool bias = true,
                std::vector<plait_epilogue> epilogues = {}) {
  return LayerTest(host, kDense, Settings(kDense).set("units", units).set("bias", bias),
                   {{"x", DType::f32, std::move(shape)}}, std::move(epilogues));
}

// y[n][u] = f(sum over i of x[n][i] w[u][i] + b[u]), in f64.
void check_forward(LayerTest& layer, double (*f)(double)) {
  const Out x = layer.input().f32(), y = layer.output().f32(), w = layer.parameters[0].f32();
  const auto units = static_cast<size_t>(layer.parameters[0].spec().shape[0]), inputs = w.size() / units;
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t n = i / units, u = i % units;
    double sum = layer.parameters.size() > 1 ? layer.parameters[1].f32()[u] : 0;
    for (size_t k = 0; k < inputs; ++k) sum += double{x[n * inputs + k]} * double{w[u * inputs + k]};
    CAPTURE(i);
    // Rounding of a sum of `inputs` products of numbers within 1: at most inputs * 2^-24.
    CHECK(y[i] == doctest::Approx(f(sum)).epsilon(1e-6 + 6e-8 * static_cast<double>(inputs)).scale(1.0));
  }
}

double same(double v) { return v; }

}  // namespace

TEST_CASE("dense is x w + b for odd and even sizes") {
  TestHost host;
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{1, 1}, {3, 7}, {6, 64}, {13, 33}, {7, 1100}}) {
    for (const int units : {1, 5, 16, 64, 67, 130}) {
      LayerTest layer = dense(host, shape, units);
      layer.forward();
      check_forward(layer, same);
    }
  }
}

TEST_CASE("oneDNN and the own loops compute the same products, and absorb the same") {
  TestHost host;
  for (const char* absorbed : {"", "relu", "tanh", "sigmoid"}) {
    CAPTURE(absorbed);
    std::vector<plait_epilogue> epilogues;
    if (*absorbed) epilogues.push_back(epilogue_of(absorbed, 0, 0));
    std::vector<std::vector<float>> of_own;
    for (const char* implementation : {"own", "onednn"}) {
      LayerTest layer(host, kDense, Settings(kDense).set("units", 67).set("implementation", implementation),
                      {{"x", DType::f32, {13, 130}}}, epilogues);
      layer.output_gradients[0].randomize(5);
      layer.forward();
      layer.backward();
      const std::vector<Out> got{layer.output().f32(), layer.input_gradients[0].f32(),
                                 layer.parameter_gradients[0].f32(), layer.parameter_gradients[1].f32()};
      for (size_t part = 0; part < got.size(); ++part) {
        CAPTURE(part);
        if (of_own.size() < got.size()) {
          of_own.emplace_back(got[part].data(), got[part].data() + got[part].size());
          continue;
        }
        // Two sums of at most 130 products of numbers within 1, each rounded 130 times by 2^-24 of at most
        // 130.
        for (size_t i = 0; i < got[part].size(); ++i)
          CHECK(std::abs(got[part][i] - of_own[part][i]) < 2 * 130 * 130 * 6e-8);
      }
    }
  }
}

TEST_CASE("a NaN stays one after what is absorbed, whoever multiplies") {
  TestHost host;
  for (const char* implementation : {"own", "onednn"}) {
    for (const char* absorbed : {"relu", "tanh", "sigmoid"}) {
      CAPTURE(implementation);
      CAPTURE(absorbed);
      LayerTest layer(host, kDense, Settings(kDense).set("units", 67).set("implementation", implementation),
                      {{"x", DType::f32, {13, 130}}}, {epilogue_of(absorbed, 0, 0)});
      layer.input().f32()[5 * 130] = NAN;
      layer.forward();
      for (size_t i = 0; i < 13 * 67; ++i) CHECK(std::isnan(layer.output().f32()[i]) == (i / 67 == 5));
    }
  }
}

TEST_CASE("dense flattens its input and may go without a bias") {
  TestHost host;
  LayerTest layer = dense(host, {2, 2, 3, 4}, 5, false);
  CHECK(layer.output().spec().shape == std::vector<int64_t>{2, 5});
  CHECK(layer.parameters.size() == 1);
  CHECK(layer.multiply_adds == 2 * 24 * 5);
  layer.forward();
  check_forward(layer, same);
}

TEST_CASE("dense applies and undoes what it absorbs") {
  TestHost host;
  const auto check = [&](const char* name, double alpha, double beta, double (*f)(double)) {
    CAPTURE(name);
    CAPTURE(alpha);
    LayerTest layer = dense(host, {3, 9}, 19, true, {epilogue_of(name, alpha, beta)});
    layer.forward();
    check_forward(layer, f);
    // A smaller step than the default: fewer sums cross the kink of relu.
    CHECK(layer.gradient_error(200, 1e-3) < 2e-3);
  };
  check("relu", 0, 0, [](double v) { return std::max(v, 0.0); });
  check("relu", 0.25, 0, [](double v) { return v > 0 ? v : v / 4; });
  check("tanh", 0, 0, [](double v) { return std::tanh(v); });
  check("sigmoid", 0, 0, [](double v) { return 1 / (1 + std::exp(-v)); });
  check("linear", 0.5, 2, [](double v) { return v / 2 + 2; });
}

TEST_CASE("dense gradients are those of central differences") {
  TestHost host;
  for (host.lanes = 1; host.lanes <= 2; ++host.lanes) {
    for (const std::vector<int64_t>& shape : {std::vector<int64_t>{1, 3}, {5, 18}, {8, 75}}) {
      CHECK(dense(host, shape, 17).gradient_error(400) < 1e-3);
    }
  }
}

TEST_CASE("dense adds to an input gradient when asked") {
  TestHost host;
  LayerTest layer = dense(host, {4, 70}, 3);
  REQUIRE(layer.accumulates);
  layer.output_gradients[0].randomize(5);
  layer.forward();
  layer.backward();
  const Out dx = layer.input_gradients[0].f32();
  const std::vector<float> once(dx.begin(), dx.end());
  layer.accumulate = true;
  layer.backward();
  for (size_t i = 0; i < once.size(); ++i) CHECK(dx[i] == doctest::Approx(2 * once[i]).epsilon(1e-5));
}

TEST_CASE("dense gives the same bits with one lane and with two") {
  const auto run = [](int lanes) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer = dense(host, {9, 150}, 140);
    layer.output_gradients[0].randomize(6);
    layer.forward();
    layer.backward();
    std::vector<float> all;
    for (const TestTensor* t : {&layer.outputs[0], &layer.input_gradients[0], &layer.parameter_gradients[0],
                                &layer.parameter_gradients[1]}) {
      all.insert(all.end(), t->f32().begin(), t->f32().end());
    }
    return all;
  };
  CHECK(run(1) == run(2));
}

// A sum of 13 products of numbers within 1: each order is within 13 * 13 * 2^-24 of the others.
TEST_CASE("what kernels undo and sum over a batch is the host's bias gradient") {
  TestHost host;
  for (const char* name : {"relu", "tanh", "sigmoid", "linear"}) {
    CAPTURE(name);
    LayerTest layer = dense(host, {13, 9}, 19, true, {epilogue_of(name, 0.25, 2)});
    layer.output_gradients[0].randomize(3);
    layer.forward();
    layer.backward();
    plait_epilogue raw = epilogue_of(name, 0.25, 2);
    const plait_epilogue* const all[] = {&raw};
    plait_layer_request request{};
    request.n_epilogues = 1, request.epilogues = all;
    const Absorbed f = Absorbed::of(LayerRequest(&request));
    std::vector<float> undone(13 * 19);
    const gradient_sums::Work work{13,
                                   19,
                                   f,
                                   f.needs_output() ? layer.output().f32().data() : nullptr,
                                   layer.output_gradients[0].f32().data(),
                                   undone.data(),
                                   nullptr};
    for (uint64_t u = 0; u < 19; ++u) {
      float sum = 0;
      for (unsigned part = 0; part < gradient_sums::kParts; ++part)
        sum += gradient_sums::part_of_column(work, u, part);
      CHECK(std::abs(sum - layer.parameter_gradients[1].f32()[u]) < 13 * 13 * 6e-8f);
    }
    for (size_t i = 0; i < undone.size(); ++i) {
      const float y = layer.output().f32()[i], dy = layer.output_gradients[0].f32()[i];
      CHECK(undone[i] == f.slope(y) * dy);
    }
  }
}

TEST_CASE("dense refuses an input without features") {
  TestHost host;
  CHECK_THROWS_WITH_AS(dense(host, {4}, 3), doctest::Contains("f32[4]"), std::runtime_error);
}
