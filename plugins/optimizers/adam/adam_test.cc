#include <doctest/doctest.h>
#include <plait/sdk/testing_optimizer.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  OptimizerTest optimizer;
  Test(Settings settings, std::vector<double> runtime, size_t count = 3)
      : optimizer(host, linked("plait.adam"), std::move(settings), count, std::move(runtime)) {}
};
Settings settings() { return Settings(linked("plait.adam")); }

TEST_CASE("the first step has the size of the rate, against the gradient") {
  Test test(settings(), {0.125, 0});
  test.optimizer.weights.fill({1, 1, 1});
  test.optimizer.gradients.fill({1e-3f, -5, 100});
  test.optimizer.step();
  // g / (sqrt(g^2) + 1e-8): 1 but for 1e-5 of it at g = 1e-3, and for rounding.
  CHECK(test.optimizer.weights.f32()[0] == doctest::Approx(0.875).epsilon(3e-6));
  CHECK(test.optimizer.weights.f32()[1] == doctest::Approx(1.125).epsilon(3e-7));
  CHECK(test.optimizer.weights.f32()[2] == doctest::Approx(0.875).epsilon(3e-7));
}

// PyTorch 2.15, Adam(lr=0.01), in f64: weights after steps 1 to 6.
TEST_CASE("steps of PyTorch's Adam") {
  Test test(settings(), {0.01, 0});
  CHECK(test.optimizer.path_error({{1.010000000, -0.500000000, -2.010000000},
                                   {1.013456058, -0.492558632, -2.018030410},
                                   {1.018186063, -0.491791810, -2.020137539},
                                   {1.017288796, -0.490035308, -2.024824577},
                                   {1.015825832, -0.485154236, -2.028786193},
                                   {1.016553950, -0.482513146, -2.029208767}}) <= 1);
}

// PyTorch 2.15, Adam(lr=0.1, betas=(0.5, 0.75), eps=1e-3, weight_decay=0.5).
TEST_CASE("short memories, and decay by way of the gradient") {
  Test test(settings().set("beta1", 0.5).set("beta2", 0.75).set("epsilon", 1e-3), {0.1, 0.5});
  CHECK(test.optimizer.path_error({{1.099866844, -0.400398406, -2.099601594},
                                   {1.051705610, -0.304672153, -2.027892794},
                                   {1.022228090, -0.300028255, -1.932081967},
                                   {0.936193279, -0.266160238, -1.877778244},
                                   {0.854685940, -0.181013526, -1.801534411},
                                   {0.825550726, -0.157416181, -1.701281575}}) <= 1);
}

TEST_CASE("the formulas of Adam in double, over fifty steps") {
  Test test(settings(), {0.01, 0.1}, 300);
  OptimizerTest& o = test.optimizer;
  std::vector<double> w(300), m(300, 0), v(300, 0);
  for (size_t i = 0; i < 300; ++i) w[i] = o.weights.f32()[i];
  for (int step = 1; step <= 50; ++step) {
    o.gradients.randomize(static_cast<uint64_t>(step) + 50);
    o.step();
    for (size_t i = 0; i < 300; ++i) {
      const double g = o.gradients.f32()[i] + 0.1 * w[i];
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

TEST_CASE("how shards combine what it remembers") {
  const Test test(settings(), {0.01, 0.1});
  REQUIRE(test.optimizer.slot_specs.size() == 2);
  CHECK(test.optimizer.slot_specs[0].reduce == PLAIT_REDUCE_MEAN32);
  CHECK(test.optimizer.slot_specs[1].reduce == PLAIT_REDUCE_MEAN64);
}

TEST_CASE("biases do not decay") {
  Test test(settings(), {0.5, 0.5}, 1);
  test.optimizer.flags = PLAIT_PARAMETER_NO_DECAY;
  test.optimizer.weights.fill({2});
  test.optimizer.gradients.fill({0});
  test.optimizer.step();
  CHECK(test.optimizer.weights.f32()[0] == 2);
  test.optimizer.flags = 0;
  test.optimizer.step();
  CHECK(test.optimizer.weights.f32()[0] < 2);
}

TEST_CASE("weights and gradients of zero stay zero, and pieces do not matter") {
  Test zeros(settings(), {0.01, 0.1}, 40);
  CHECK(zeros.optimizer.keeps_zeros());
  Test one(settings(), {0.01, 0.1}, 50'001), four(settings(), {0.01, 0.1}, 50'001);
  four.host.lanes = 4;
  for (int i = 0; i < 3; ++i) one.optimizer.step(), four.optimizer.step();
  CHECK(one.optimizer.same_bits(four.optimizer));
}

}  // namespace
