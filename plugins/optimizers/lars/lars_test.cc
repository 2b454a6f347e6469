#include <doctest/doctest.h>
#include <plait/sdk/testing_optimizer.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  Entry entry = linked("plait.lars");
  OptimizerTest optimizer;
  Test(double rate, double trust, double momentum, double decay, size_t count)
      : optimizer(host, entry, settings(rate, trust, momentum, decay), count, {rate, momentum, decay}) {}
  Settings settings(double rate, double trust, double momentum, double decay) {
    Settings s(entry);
    s.set("rate", rate).set("trust", trust).set("momentum", momentum).set("weight_decay", decay);
    return s;
  }
};

TEST_CASE("by hand: |w| = 5, |g| = 0.5, and a second step with momentum") {
  Test test(2, 0.125, 0.5, 0, 2);
  OptimizerTest& o = test.optimizer;
  o.weights.fill({3, 4});
  o.gradients.fill({0.5, 0});
  o.step();  // l = 0.125 * 5 / 0.5 = 1.25; v = 2.5 * g
  CHECK(o.weights.f32()[0] == 3 - 1.25f);
  CHECK(o.weights.f32()[1] == 4);
  CHECK(o.slots[0].f32()[0] == 1.25f);
  o.weights.fill({3, 4});
  o.gradients.fill({0, -0.25});
  o.step();  // l = 2.5
  CHECK(o.weights.f32()[0] == 3 - 0.625f);
  CHECK(o.weights.f32()[1] == 4 + 1.25f);
}

TEST_CASE("the formula of the paper in double, over ten steps, with weight decay") {
  constexpr size_t kCount = 1003;
  Test test(2, 0.01, 0.9, 0.01, kCount);
  OptimizerTest& o = test.optimizer;
  std::vector<double> w(kCount), v(kCount, 0);
  for (size_t i = 0; i < kCount; ++i) w[i] = o.weights.f32()[i];
  for (int step = 0; step < 10; ++step) {
    o.gradients.randomize(static_cast<uint64_t>(step) + 50);
    o.step();
    double ww = 0, gg = 0;
    for (size_t i = 0; i < kCount; ++i) ww += w[i] * w[i], gg += std::pow(o.gradients.f32()[i], 2);
    const double local = 0.01 * std::sqrt(ww) / (std::sqrt(gg) + 0.01 * std::sqrt(ww));
    for (size_t i = 0; i < kCount; ++i) {
      v[i] = 0.9 * v[i] + 2 * local * (o.gradients.f32()[i] + 0.01 * w[i]);
      w[i] -= v[i];
    }
  }
  double worst = 0;
  for (size_t i = 0; i < kCount; ++i) worst = std::max(worst, std::abs(w[i] - o.weights.f32()[i]));
  // Weights stay below 8 in size; each of ten steps rounds a handful of times at 6e-8 relative.
  CHECK(worst < 10 * 5 * 8 * 6e-8);
}

TEST_CASE("the length of a gradient does not matter") {
  Test small(1, 0.01, 0, 0, 100), large(1, 0.01, 0, 0, 100);
  for (float& g : large.optimizer.gradients.f32()) g *= 1024;
  small.optimizer.step(), large.optimizer.step();
  for (size_t i = 0; i < 100; ++i)
    CHECK(small.optimizer.weights.f32()[i] ==
          doctest::Approx(large.optimizer.weights.f32()[i]).epsilon(1e-6));
}

TEST_CASE("biases move by their gradients, and do not decay; so do weights of 0, without their length") {
  Test test(0.5, 0.01, 0, 0.25, 1);
  test.optimizer.weights.fill({2});
  test.optimizer.gradients.fill({4});
  test.optimizer.flags = PLAIT_PARAMETER_NO_DECAY;
  test.optimizer.step();
  CHECK(test.optimizer.weights.f32()[0] == 0);
  test.optimizer.flags = 0;
  test.optimizer.step();
  CHECK(test.optimizer.weights.f32()[0] == -2);
}

TEST_CASE("weights and gradients of zero stay zero, and pieces do not matter") {
  Test zeros(0.1, 0.1, 0.9, 0.01, 40);
  CHECK(zeros.optimizer.keeps_zeros());
  Test one(0.1, 0.1, 0.9, 0.01, 50'001), four(0.1, 0.1, 0.9, 0.01, 50'001);
  four.host.lanes = 4;
  for (int i = 0; i < 3; ++i) one.optimizer.step(), four.optimizer.step();
  CHECK(one.optimizer.same_bits(four.optimizer));
}

}  // namespace
