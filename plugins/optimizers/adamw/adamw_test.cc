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
      : optimizer(host, linked("plait.adamw"), std::move(settings), count, std::move(runtime)) {}
};
Settings settings() { return Settings(linked("plait.adamw")); }

// PyTorch 2.15, AdamW(lr=0.01), in f64: weights after steps 1 to 6.
TEST_CASE("steps of PyTorch's AdamW") {
  Test test(settings(), {0.01, 0.01});
  CHECK(test.optimizer.path_error({{1.009900000, -0.499950000, -2.009800000},
                                   {1.013255068, -0.492458637, -2.017629430},
                                   {1.017883747, -0.491642569, -2.019534796},
                                   {1.016884692, -0.489836903, -2.024019881},
                                   {1.015320039, -0.484906847, -2.027779094},
                                   {1.015946626, -0.482217267, -2.027998891}}) <= 1);
}

// PyTorch 2.15, AdamW(lr=0.1, betas=(0.5, 0.75), eps=1e-3, weight_decay=0.5).
TEST_CASE("a strong decay and short memories") {
  Test test(settings().set("beta1", 0.5).set("beta2", 0.75).set("epsilon", 1e-3), {0.1, 0.5});
  CHECK(test.optimizer.path_error({{1.049920064, -0.475000000, -1.999920064},
                                   {1.006658819, -0.363174802, -1.969297857},
                                   {0.998871527, -0.363953320, -1.848601436},
                                   {0.895479328, -0.334998706, -1.807265221},
                                   {0.803653716, -0.241113842, -1.747048384},
                                   {0.788103865, -0.218922121, -1.610650142}}) <= 1);
}

TEST_CASE("how shards combine what it remembers") {
  const Test test(settings(), {0.01, 0.01});
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
