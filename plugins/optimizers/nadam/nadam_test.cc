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
      : optimizer(host, linked("plait.nadam"), std::move(settings), count, std::move(runtime)) {}
};
Settings settings() { return Settings(linked("plait.nadam")); }

// PyTorch 2.15, NAdam(lr=0.01), in f64: weights after steps 1 to 6.
TEST_CASE("steps of PyTorch's NAdam") {
  Test test(settings(), {0.01, 0});
  CHECK(test.optimizer.path_error({{1.010564518, -0.500000000, -2.010564518},
                                   {1.007267443, -0.489550195, -2.013233329},
                                   {1.011518579, -0.495738417, -2.008186830},
                                   {1.003849831, -0.493212676, -2.015348744},
                                   {1.001947133, -0.483540750, -2.016085643},
                                   {1.007041100, -0.486641259, -2.009540609}}) <= 1);
}

// PyTorch 2.15, NAdam(lr=0.1, betas=(0.5, 0.75), weight_decay=0.1, momentum_decay=0.5).
TEST_CASE("a momentum that grows fast, and decay") {
  Test test(settings().set("beta1", 0.5).set("beta2", 0.75).set("momentum_decay", 0.5), {0.1, 0.1});
  CHECK(test.optimizer.path_error({{1.113923297, -0.386076725, -2.113923297},
                                   {1.058515593, -0.263077641, -2.129412777},
                                   {1.106940596, -0.337794719, -2.030084333},
                                   {0.991019162, -0.300573320, -2.109973016},
                                   {0.945512959, -0.175375729, -2.087628898},
                                   {1.008612609, -0.215594432, -1.968242143}}) <= 1);
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
