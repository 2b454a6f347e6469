#include <doctest/doctest.h>
#include <plait/sdk/testing_optimizer.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  Entry entry = linked("plait.adam");
  OptimizerTest optimizer;
  Test(double rate, double decay, bool decoupled, size_t count)
      : optimizer(host, entry, settings(rate, decay, decoupled), count, {rate, decay}) {}
  Settings settings(double rate, double decay, bool decoupled) {
    return Settings(entry).set("rate", rate).set("weight_decay", decay).set("decoupled", decoupled);
  }
};

TEST_CASE("the first step has the size of the rate, against the gradient") {
  Test test(0.125, 0, true, 3);
  test.optimizer.weights.fill({1, 1, 1});
  test.optimizer.gradients.fill({1e-3f, -5, 100});
  test.optimizer.step();
  // g / (sqrt(g^2) + 1e-8): 1 but for 1e-5 of it at g = 1e-3, and for rounding.
  CHECK(test.optimizer.weights.f32()[0] == doctest::Approx(0.875).epsilon(3e-6));
  CHECK(test.optimizer.weights.f32()[1] == doctest::Approx(1.125).epsilon(3e-7));
  CHECK(test.optimizer.weights.f32()[2] == doctest::Approx(0.875).epsilon(3e-7));
}

TEST_CASE("the formulas of Adam and AdamW, in double, over fifty steps") {
  for (const bool decoupled : {false, true}) {
    Test test(0.01, 0.1, decoupled, 300);
    OptimizerTest& o = test.optimizer;
    std::vector<double> w(300), m(300, 0), v(300, 0);
    for (size_t i = 0; i < 300; ++i) w[i] = o.weights.f32()[i];
    for (int step = 1; step <= 50; ++step) {
      o.gradients.randomize(static_cast<uint64_t>(step) + 50);
      o.step();
      for (size_t i = 0; i < 300; ++i) {
        double g = o.gradients.f32()[i];
        if (decoupled) {
          w[i] *= 1 - 0.01 * 0.1;
        } else {
          g += 0.1 * w[i];
        }
        m[i] = 0.9 * m[i] + 0.1 * g;
        v[i] = 0.999 * v[i] + 0.001 * g * g;
        const double mean = m[i] / (1 - std::pow(0.9, step)), square = v[i] / (1 - std::pow(0.999, step));
        w[i] -= 0.01 * mean / (std::sqrt(square) + 1e-8);
      }
    }
    double worst = 0;
    for (size_t i = 0; i < 300; ++i) worst = std::max(worst, std::abs(w[i] - o.weights.f32()[i]));
    // Weights below 2; each of fifty steps rounds the weight at 6e-8 relative, and its own step of 0.01 a few
    // times.
    CHECK(worst < 50 * (2 * 2 * 6e-8 + 0.01 * 10 * 6e-8));
  }
}

TEST_CASE("the squares are averaged in 64 bits") {
  Test test(0.01, 0, true, 1);
  REQUIRE(test.optimizer.slot_specs.size() == 2);
  CHECK(test.optimizer.slot_specs[0].reduce == PLAIT_REDUCE_MEAN32);
  CHECK(test.optimizer.slot_specs[1].reduce == PLAIT_REDUCE_MEAN64);
}

TEST_CASE("biases do not decay") {
  for (const bool decoupled : {false, true}) {
    Test test(0.5, 0.5, decoupled, 1);
    test.optimizer.flags = PLAIT_PARAMETER_NO_DECAY;
    test.optimizer.weights.fill({2});
    test.optimizer.gradients.fill({0});
    test.optimizer.step();
    CHECK(test.optimizer.weights.f32()[0] == 2);
  }
}

TEST_CASE("weights and gradients of zero stay zero, and pieces do not matter") {
  for (const bool decoupled : {false, true}) {
    Test zeros(0.01, 0.1, decoupled, 40);
    CHECK(zeros.optimizer.keeps_zeros());
  }
  Test one(0.01, 0.1, true, 50'001), four(0.01, 0.1, true, 50'001);
  four.host.lanes = 4;
  for (int i = 0; i < 3; ++i) one.optimizer.step(), four.optimizer.step();
  CHECK(one.optimizer.same_bits(four.optimizer));
}

}  // namespace
