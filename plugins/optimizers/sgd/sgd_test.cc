#include <doctest/doctest.h>
#include <plait/sdk/testing_optimizer.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "element.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  Entry entry = linked("plait.sgd");
  OptimizerTest optimizer;
  Test(double rate, double momentum, bool nesterov, double decay, size_t count)
      : optimizer(host, entry, settings(rate, momentum, nesterov, decay), count, {rate, momentum, decay}) {}
  Settings settings(double rate, double momentum, bool nesterov, double decay) {
    Settings s(entry);
    s.set("rate", rate).set("momentum", momentum).set("nesterov", nesterov).set("weight_decay", decay);
    return s;
  }
};

TEST_CASE("plain: by hand") {
  Test test(0.5, 0, false, 0, 2);
  CHECK(test.optimizer.slots.empty());
  test.optimizer.weights.fill({1, -2});
  test.optimizer.gradients.fill({4, 0.5});
  test.optimizer.step();
  CHECK(test.optimizer.weights.f32()[0] == -1.0f);
  CHECK(test.optimizer.weights.f32()[1] == -2.25f);
}

TEST_CASE("the formulas of PyTorch's SGD, in double, over ten steps") {
  for (const bool nesterov : {false, true}) {
    for (const double momentum : {0.0, 0.9}) {
      if (nesterov && momentum == 0) continue;
      Test test(0.1, momentum, nesterov, 0.01, 1000);
      OptimizerTest& o = test.optimizer;
      std::vector<double> w(1000), v(1000, 0);
      for (size_t i = 0; i < 1000; ++i) w[i] = o.weights.f32()[i];
      for (int step = 0; step < 10; ++step) {
        o.gradients.randomize(static_cast<uint64_t>(step) + 50);
        o.step();
        for (size_t i = 0; i < 1000; ++i) {
          double d = o.gradients.f32()[i] + 0.01 * w[i];
          v[i] = momentum * v[i] + d;  // PyTorch sets it to d in the first step: the same, it was 0
          if (momentum > 0) d = nesterov ? d + momentum * v[i] : v[i];
          w[i] -= 0.1 * d;
        }
      }
      double worst = 0;
      for (size_t i = 0; i < 1000; ++i) worst = std::max(worst, std::abs(w[i] - o.weights.f32()[i]));
      // Weights stay below 8 in size; each of ten steps rounds a handful of times at 6e-8 relative.
      CHECK(worst < 10 * 5 * 8 * 6e-8);
    }
  }
}

// PyTorch 2.15, SGD(lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.1), in f64: weights after steps 1
// to 6.
TEST_CASE("steps of PyTorch's SGD with dampening, of which the first has none") {
  TestHost host;
  const Entry entry = linked("plait.sgd");
  OptimizerTest test(host, entry, Settings(entry).set("momentum", 0.9).set("dampening", 0.5), 3,
                     {0.1, 0.9, 0.1});
  CHECK(test.path_error({{1.115000000, -0.495000000, -2.105000000},
                         {1.187925000, -0.438025000, -2.201475000},
                         {1.272617875, -0.422057375, -2.239795125},
                         {1.279978373, -0.393076226, -2.313084262},
                         {1.267702930, -0.302527810, -2.367479064},
                         {1.287816516, -0.244521597, -2.354596990}}) <= 1);
}

TEST_CASE("biases do not decay") {
  Test test(1, 0, false, 0.5, 1);
  test.optimizer.weights.fill({2});
  test.optimizer.gradients.fill({0});
  test.optimizer.flags = PLAIT_PARAMETER_NO_DECAY;
  test.optimizer.step();
  CHECK(test.optimizer.weights.f32()[0] == 2);
  test.optimizer.flags = 0;
  test.optimizer.step();
  CHECK(test.optimizer.weights.f32()[0] == 1);
}

TEST_CASE("a schedule's rate is taken, not the file's") {
  Test test(1, 0, false, 0, 1);
  test.optimizer.weights.fill({1});
  test.optimizer.gradients.fill({1});
  test.optimizer.runtime[0] = 0.25;
  test.optimizer.step();
  CHECK(test.optimizer.weights.f32()[0] == 0.75f);
}

TEST_CASE("weights and gradients of zero stay zero, and pieces do not matter") {
  Test zeros(0.1, 0.9, true, 0.01, 40);
  CHECK(zeros.optimizer.keeps_zeros());
  Test one(0.1, 0.9, false, 0.01, 50'001), four(0.1, 0.9, false, 0.01, 50'001);
  four.host.lanes = 4;
  for (int i = 0; i < 3; ++i) one.optimizer.step(), four.optimizer.step();
  CHECK(one.optimizer.same_bits(four.optimizer));
}

// Both round a handful of times a step; a compiler may join a product and a sum in one and not in the other.
TEST_CASE("the arithmetic of kernels is the host's") {
  for (const bool nesterov : {false, true}) {
    for (const double momentum : {0.0, 0.9}) {
      if (nesterov && momentum == 0) continue;
      Test test(0.1, momentum, nesterov, 0.01, 300);
      OptimizerTest& o = test.optimizer;
      std::vector<float> w(o.weights.f32().begin(), o.weights.f32().end()), v(300, 0.0f);
      const sgd::Numbers numbers{0.1f, static_cast<float>(momentum), 0.01f, nesterov};
      for (uint64_t step = 0; step < 5; ++step) {
        o.gradients.randomize(step + 9);
        o.step();
        for (size_t i = 0; i < w.size(); ++i) w[i] = sgd::step(numbers, o.gradients.f32()[i], w[i], v[i]);
      }
      for (size_t i = 0; i < w.size(); ++i)
        CHECK(std::abs(w[i] - o.weights.f32()[i]) < 5 * 5 * 6e-8f * (1 + std::abs(w[i])));
    }
  }
}

TEST_CASE("nesterov without momentum is refused") {
  CHECK_THROWS_WITH(Test(0.1, 0, true, 0, 1), "nesterov needs a momentum above 0, got 0");
}

TEST_CASE("dampening without momentum, or with nesterov, is refused") {
  TestHost host;
  const Entry entry = linked("plait.sgd");
  const auto make = [&](double momentum, bool nesterov) {
    Settings settings(entry);
    settings.set("momentum", momentum).set("nesterov", nesterov).set("dampening", 0.25);
    OptimizerTest(host, entry, std::move(settings), 1, {0.1, momentum, 0});
  };
  CHECK_THROWS_WITH(make(0, false), "dampening needs a momentum above 0, got 0");
  CHECK_THROWS_WITH(make(0.5, true), "nesterov goes without dampening, got 0.25");
}

}  // namespace
