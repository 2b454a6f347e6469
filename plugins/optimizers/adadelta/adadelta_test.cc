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
      : optimizer(host, linked("plait.adadelta"), std::move(settings), count, std::move(runtime)) {}
};
Settings settings() { return Settings(linked("plait.adadelta")); }

// PyTorch 2.15, Adadelta(), in f64: weights after steps 1 to 6.
TEST_CASE("steps of PyTorch's Adadelta") {
  Test test(settings(), {1, 0});
  CHECK(test.optimizer.path_error({{1.003162268, -0.500000000, -2.003162268},
                                   {1.001424787, -0.496837738, -2.004084794},
                                   {1.003203118, -0.499611223, -2.001650530},
                                   {0.999742760, -0.498511236, -2.004682997},
                                   {0.998876590, -0.494687467, -2.004682997},
                                   {1.001297328, -0.496568104, -2.001600175}}) <= 1);
}

// PyTorch 2.15, Adadelta(lr=0.5, rho=0.5, eps=0.01, weight_decay=0.1).
TEST_CASE("short memory and decay") {
  Test test(settings().set("rho", 0.5).set("epsilon", 0.01), {0.5, 0.1});
  CHECK(test.optimizer.path_error({{1.070181993, -0.476429774, -2.070077908},
                                   {1.011156284, -0.402605413, -2.075731598},
                                   {1.061254273, -0.473567731, -2.000514081},
                                   {0.967557488, -0.431185615, -2.078362713},
                                   {0.927342232, -0.336390645, -2.048035711},
                                   {0.998496357, -0.391049548, -1.955312091}}) <= 1);
}

TEST_CASE("how shards combine what it remembers") {
  const Test test(settings(), {1, 0});
  REQUIRE(test.optimizer.slot_specs.size() == 2);
  CHECK(test.optimizer.slot_specs[0].reduce == PLAIT_REDUCE_MEAN64);
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
  Test zeros(settings(), {0.5, 0.1}, 40);
  CHECK(zeros.optimizer.keeps_zeros());
  Test one(settings(), {0.5, 0.1}, 50'001), four(settings(), {0.5, 0.1}, 50'001);
  four.host.lanes = 4;
  for (int i = 0; i < 3; ++i) one.optimizer.step(), four.optimizer.step();
  CHECK(one.optimizer.same_bits(four.optimizer));
}

}  // namespace
