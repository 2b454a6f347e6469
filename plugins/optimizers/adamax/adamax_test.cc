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
      : optimizer(host, linked("plait.adamax"), std::move(settings), count, std::move(runtime)) {}
};
Settings settings() { return Settings(linked("plait.adamax")); }

// PyTorch 2.15, Adamax(lr=0.01), in f64: weights after steps 1 to 6.
TEST_CASE("steps of PyTorch's Adamax") {
  Test test(settings(), {0.01, 0});
  CHECK(test.optimizer.path_error({{1.010000000, -0.500000000, -2.010000000},
                                   {1.012634213, -0.494736842, -2.015795269},
                                   {1.015777027, -0.494182783, -2.017237266},
                                   {1.015093689, -0.493061029, -2.020594230},
                                   {1.014087823, -0.489942179, -2.023133982},
                                   {1.014578925, -0.488341036, -2.023417775}}) <= 1);
}

// PyTorch 2.15, Adamax(lr=0.1, betas=(0.5, 0.5), weight_decay=0.1).
TEST_CASE("short memories and decay") {
  Test test(settings().set("beta1", 0.5).set("beta2", 0.5), {0.1, 0.1});
  CHECK(test.optimizer.path_error({{1.099999999, -0.400000020, -2.099999999},
                                   {1.096174863, -0.331730790, -2.171746030},
                                   {1.150756128, -0.346424667, -2.131293911},
                                   {1.104707032, -0.317783034, -2.161423950},
                                   {1.032884916, -0.262294890, -2.162227363},
                                   {1.046379714, -0.245236177, -2.111561597}}) <= 1);
}

TEST_CASE("how shards combine what it remembers") {
  const Test test(settings(), {0.01, 0});
  REQUIRE(test.optimizer.slot_specs.size() == 2);
  CHECK(test.optimizer.slot_specs[0].reduce == PLAIT_REDUCE_MEAN32);
  CHECK(test.optimizer.slot_specs[1].reduce == PLAIT_REDUCE_MAX);
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
