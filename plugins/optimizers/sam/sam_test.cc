#include <doctest/doctest.h>
#include <plait/sdk/testing_optimizer.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  Entry entry = linked("plait.sam");
  OptimizerTest optimizer;
  Test(double rho, double rate, double momentum, double decay, size_t count)
      : optimizer(host, entry, settings(rho, rate, momentum, decay), count, {rho, rate, momentum, decay}) {}
  Settings settings(double rho, double rate, double momentum, double decay) {
    Settings s(entry);
    s.set("rho", rho).set("rate", rate).set("momentum", momentum).set("weight_decay", decay);
    return s;
  }
};

TEST_CASE("moves by rho along the gradient of all parameters together") {
  Test test(2, 0.5, 0, 0, 2);
  OptimizerTest& o = test.optimizer;
  o.weights.fill({1, 1});
  o.gradients.fill({3, 0});
  CHECK(o.observe() == 9);
  o.observed = 25;  // another parameter has 16
  o.move();
  CHECK(o.weights.f32()[0] == doctest::Approx(1 + 2 * 3.0 / 5));
  CHECK(o.weights.f32()[1] == 1);
}

TEST_CASE("a gradient of zero moves nothing") {
  Test test(2, 0.5, 0, 0, 1);
  test.optimizer.weights.fill({1});
  test.optimizer.gradients.fill({0});
  test.optimizer.observed = 0;
  test.optimizer.move();
  CHECK(test.optimizer.weights.f32()[0] == 1);
}

// f(w) = sum_i a_i w_i^4 / 4 with the host's part of a step played by hand.
TEST_CASE("the algorithm of the paper in double, over ten steps of a function with a known gradient") {
  constexpr size_t kCount = 50;
  constexpr double kRho = 0.1, kRate = 0.05, kMomentum = 0.9, kDecay = 0.01;
  Test test(kRho, kRate, kMomentum, kDecay, kCount);
  OptimizerTest& o = test.optimizer;
  const auto slope = [](size_t i, double w) { return (0.5 + static_cast<double>(i) / kCount) * w * w * w; };
  std::vector<double> w(kCount), v(kCount, 0);
  for (size_t i = 0; i < kCount; ++i) w[i] = o.weights.f32()[i];
  const auto take_gradients = [&] {
    for (size_t i = 0; i < kCount; ++i)
      o.gradients.f32()[i] = static_cast<float>(slope(i, o.weights.f32()[i]));
    o.observed = o.observe();
  };
  for (int step = 0; step < 10; ++step) {
    const std::vector<float> before(o.weights.f32().begin(), o.weights.f32().end());
    o.is_second = false;
    take_gradients();
    o.move();
    o.is_second = true;
    take_gradients();
    std::copy(before.begin(), before.end(), o.weights.f32().begin());
    o.step();
    double norm = 0;
    for (size_t i = 0; i < kCount; ++i) norm += std::pow(slope(i, w[i]), 2);
    norm = std::sqrt(norm);
    for (size_t i = 0; i < kCount; ++i) {
      const double moved = w[i] + kRho * slope(i, w[i]) / norm;
      v[i] = kMomentum * v[i] + slope(i, moved) + kDecay * w[i];
      w[i] -= kRate * v[i];
    }
  }
  double worst = 0;
  for (size_t i = 0; i < kCount; ++i) worst = std::max(worst, std::abs(w[i] - o.weights.f32()[i]));
  // Weights stay below 8 in size; each of ten steps rounds a handful of times at 6e-8 relative, and a slope
  // of the third power makes an error of w at most 3 a w^2 rate = 15 percent larger in a step.
  CHECK(worst < 10 * 10 * 8 * 6e-8 * 4);
}

TEST_CASE("biases do not decay; zeros stay zero; pieces do not matter") {
  Test test(0, 1, 0, 0.5, 1);
  test.optimizer.weights.fill({2});
  test.optimizer.gradients.fill({0});
  test.optimizer.flags = PLAIT_PARAMETER_NO_DECAY;
  test.optimizer.step();
  CHECK(test.optimizer.weights.f32()[0] == 2);
  test.optimizer.flags = 0;
  test.optimizer.step();
  CHECK(test.optimizer.weights.f32()[0] == 1);
  Test zeros(0.1, 0.1, 0.9, 0.01, 40);
  CHECK(zeros.optimizer.keeps_zeros());
  Test one(0.1, 0.1, 0.9, 0.01, 50'001), four(0.1, 0.1, 0.9, 0.01, 50'001);
  four.host.lanes = 4;
  one.optimizer.observed = four.optimizer.observed = 2;
  for (int i = 0; i < 3; ++i) {
    for (Test* each : {&one, &four}) each->optimizer.move(), each->optimizer.step();
  }
  CHECK(one.optimizer.same_bits(four.optimizer));
}

}  // namespace
