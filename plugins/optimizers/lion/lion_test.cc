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
      : optimizer(host, linked("plait.lion"), std::move(settings), count, std::move(runtime)) {}
};
Settings settings() { return Settings(linked("plait.lion")); }

// Chen et al. 2023, algorithm 2, in f64: weights after steps 1 to 6.
TEST_CASE("algorithm 2 of the paper") {
  Test test(settings(), {0.01, 0});
  CHECK(test.optimizer.path_error({{1.010000000, -0.500000000, -2.010000000},
                                   {1.000000000, -0.490000000, -2.020000000},
                                   {1.010000000, -0.500000000, -2.010000000},
                                   {1.000000000, -0.490000000, -2.020000000},
                                   {0.990000000, -0.480000000, -2.030000000},
                                   {1.000000000, -0.490000000, -2.020000000}}) <= 1);
}

// The same with beta1 = 0.5, beta2 = 0.75, weight_decay = 0.5.
TEST_CASE("short memories and decay") {
  Test test(settings().set("beta1", 0.5).set("beta2", 0.75), {0.1, 0.5});
  CHECK(test.optimizer.path_error({{1.050000000, -0.475000000, -2.000000000},
                                   {0.897500000, -0.351250000, -2.000000000},
                                   {0.952625000, -0.433687500, -1.800000000},
                                   {0.804993750, -0.312003125, -1.810000000},
                                   {0.664744063, -0.196402969, -1.819500000},
                                   {0.731506859, -0.286582820, -1.628525000}}) <= 1);
}

TEST_CASE("how shards combine what it remembers") {
  const Test test(settings(), {0.01, 0});
  REQUIRE(test.optimizer.slot_specs.size() == 1);
  CHECK(test.optimizer.slot_specs[0].reduce == PLAIT_REDUCE_MEAN32);
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
