#include <doctest/doctest.h>
#include <plait/sdk/testing_optimizer.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  OptimizerTest optimizer;
  Test(Settings settings, std::vector<double> runtime, size_t count = 3)
      : optimizer(host, linked("plait.adagrad"), std::move(settings), count, std::move(runtime)) {}
};
Settings settings() { return Settings(linked("plait.adagrad")); }

// PyTorch 2.15, Adagrad(lr=0.1), in f64: weights after steps 1 to 6.
TEST_CASE("steps of PyTorch's Adagrad") {
  Test test(settings(), {0.1, 0});
  CHECK(test.optimizer.path_error({{1.100000000, -0.500000000, -2.100000000},
                                   {1.062860932, -0.400000000, -2.119611614},
                                   {1.097676464, -0.460000000, -2.068902358},
                                   {1.032023247, -0.440388386, -2.124913562},
                                   {1.019004356, -0.370374382, -2.124913562},
                                   {1.055384700, -0.397342377, -2.076045784}}) <= 1);
}

// PyTorch 2.15, Adagrad(lr=0.1, lr_decay=0.25, weight_decay=0.1, initial_accumulator_value=0.5).
TEST_CASE("a falling rate, a first sum and decay") {
  Test test(settings().set("rate_decay", 0.25).set("initial", 0.5), {0.1, 0.1});
  CHECK(test.optimizer.path_error({{1.085185185, -0.492946544, -2.082945013},
                                   {1.052310259, -0.426656187, -2.085579213},
                                   {1.069483164, -0.459166940, -2.045348084},
                                   {1.031602198, -0.447744213, -2.070935463},
                                   {1.023101236, -0.414826521, -2.065145869},
                                   {1.036331322, -0.424917772, -2.040290623}}) <= 1);
}

TEST_CASE("how shards combine what it remembers") {
  const Test test(settings(), {0.01, 0});
  REQUIRE(test.optimizer.slot_specs.size() == 1);
  CHECK(test.optimizer.slot_specs[0].reduce == PLAIT_REDUCE_MEAN64);
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
  Test zeros(settings().set("initial", 0.1), {0.01, 0.1}, 40);
  CHECK(zeros.optimizer.keeps_zeros());
  Test one(settings().set("initial", 0.1), {0.01, 0.1}, 50'001),
      four(settings().set("initial", 0.1), {0.01, 0.1}, 50'001);
  four.host.lanes = 4;
  for (int i = 0; i < 3; ++i) one.optimizer.step(), four.optimizer.step();
  CHECK(one.optimizer.same_bits(four.optimizer));
}

}  // namespace
