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
      : optimizer(host, linked("plait.amsgrad"), std::move(settings), count, std::move(runtime)) {}
};
Settings settings() { return Settings(linked("plait.amsgrad")); }

// PyTorch 2.15, Adam(lr=0.01, amsgrad=True), in f64: weights after steps 1 to 6.
TEST_CASE("steps of PyTorch's Adam with amsgrad") {
  Test test(settings(), {0.01, 0});
  CHECK(test.optimizer.path_error({{1.010000000, -0.500000000, -2.010000000},
                                   {1.013456058, -0.492558632, -2.018030410},
                                   {1.018186063, -0.491791810, -2.020137539},
                                   {1.017288796, -0.490035308, -2.024824577},
                                   {1.015825832, -0.485154236, -2.028784211},
                                   {1.016553950, -0.482513146, -2.029206786}}) <= 1);
}

// PyTorch 2.15, Adam(lr=0.1, betas=(0.5, 0.5), weight_decay=0.1, amsgrad=True), 8 steps.
TEST_CASE("the largest square counts where squares fall") {
  Test test(settings().set("beta1", 0.5).set("beta2", 0.5), {0.1, 0.1});
  CHECK(test.optimizer.path_error({{1.099999999, -0.400000020, -2.099999999},
                                   {1.097515010, -0.316435904, -2.143935291},
                                   {1.122016868, -0.329937166, -2.097006702},
                                   {1.063992133, -0.316598312, -2.126622298},
                                   {1.018149949, -0.245717863, -2.127401235},
                                   {1.026627258, -0.234842904, -2.063303460},
                                   {0.977955846, -0.202794977, -2.060145062},
                                   {0.948985981, -0.249216284, -2.034489844}}) <= 1);
}

TEST_CASE("how shards combine what it remembers") {
  const Test test(settings(), {0.01, 0});
  REQUIRE(test.optimizer.slot_specs.size() == 3);
  CHECK(test.optimizer.slot_specs[0].reduce == PLAIT_REDUCE_MEAN32);
  CHECK(test.optimizer.slot_specs[1].reduce == PLAIT_REDUCE_MEAN64);
  CHECK(test.optimizer.slot_specs[2].reduce == PLAIT_REDUCE_MAX);
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
