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
      : optimizer(host, linked("plait.radam"), std::move(settings), count, std::move(runtime)) {}
};
Settings settings() { return Settings(linked("plait.radam")); }

// PyTorch 2.15, RAdam(lr=0.01), in f64: weights after steps 1 to 8; the sixth is the first adaptive one.
TEST_CASE("steps of PyTorch's RAdam, plain ones at first") {
  Test test(settings(), {0.01, 0});
  CHECK(test.optimizer.path_error({{1.012500000, -0.500000000, -2.012500000},
                                   {1.015789474, -0.494736842, -2.019736842},
                                   {1.019710138, -0.494183337, -2.021535735},
                                   {1.018855965, -0.493063825, -2.025719364},
                                   {1.017599891, -0.489165263, -2.028881375},
                                   {1.017618692, -0.489097068, -2.028892286},
                                   {1.017564944, -0.488980939, -2.028960773},
                                   {1.017508880, -0.488984393, -2.029009811}}) <= 1);
}

// PyTorch 2.15, RAdam(lr=0.1, betas=(0.5, 0.9), weight_decay=0.1), 8 steps.
TEST_CASE("short memories, and decay") {
  Test test(settings().set("beta1", 0.5).set("beta2", 0.9), {0.1, 0.1});
  CHECK(test.optimizer.path_error({{1.115000000, -0.495000000, -2.105000000},
                                   {1.112566667, -0.423366667, -2.142633333},
                                   {1.133737714, -0.433104571, -2.103661143},
                                   {1.070904269, -0.422005703, -2.127587928},
                                   {1.022070515, -0.349941059, -2.128184306},
                                   {1.024820908, -0.346085630, -2.109672288},
                                   {1.005711943, -0.331495943, -2.108323948},
                                   {0.990809461, -0.352257669, -2.095340488}}) <= 1);
}

// PyTorch 2.15, RAdam(lr=0.1, betas=(0.5, 0.5)).
TEST_CASE("too short a memory is never adaptive") {
  Test test(settings().set("beta1", 0.5).set("beta2", 0.5), {0.1, 0});
  CHECK(test.optimizer.path_error({{1.125000000, -0.500000000, -2.125000000},
                                   {1.133333333, -0.433333333, -2.183333333},
                                   {1.165476190, -0.447619048, -2.165476190},
                                   {1.113809524, -0.440952381, -2.210476190},
                                   {1.075906298, -0.373210445, -2.232250384},
                                   {1.095350742, -0.365273938, -2.192171019}}) <= 1);
}

TEST_CASE("how shards combine what it remembers") {
  const Test test(settings(), {0.01, 0});
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
