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
      : optimizer(host, linked("plait.rmsprop"), std::move(settings), count, std::move(runtime)) {}
};
Settings settings() { return Settings(linked("plait.rmsprop")); }

// PyTorch 2.15, RMSprop(lr=0.01), in f64: weights after steps 1 to 6.
TEST_CASE("steps of PyTorch's RMSprop") {
  Test test(settings(), {0.01, 0, 0});
  CHECK(test.optimizer.path_error({{1.099999992, -0.500000000, -2.099999992},
                                   {1.062699802, -0.400000010, -2.119706576},
                                   {1.097802378, -0.460192932, -2.068625635},
                                   {1.031655715, -0.440425455, -2.125110878},
                                   {1.018475725, -0.369950956, -2.125110878},
                                   {1.055405736, -0.397209861, -2.075553997}}) <= 1);
}

// PyTorch 2.15, RMSprop(lr=0.01, alpha=0.9, momentum=0.9).
TEST_CASE("with momentum") {
  Test test(settings().set("alpha", 0.9).set("momentum", 0.9), {0.01, 0.9, 0});
  CHECK(test.optimizer.path_error({{1.031622776, -0.500000000, -2.031622776},
                                   {1.047797372, -0.468377224, -2.066606555},
                                   {1.074338939, -0.459528339, -2.080814587},
                                   {1.075880190, -0.444831519, -2.112861320},
                                   {1.072607753, -0.407995826, -2.141703380},
                                   {1.083018648, -0.384338640, -2.149938395}}) <= 1);
}

// PyTorch 2.15, RMSprop(lr=0.01, alpha=0.9, centered=True).
TEST_CASE("centered") {
  Test test(settings().set("alpha", 0.9).set("centered", true), {0.01, 0, 0});
  CHECK(test.optimizer.path_error({{1.033333332, -0.500000000, -2.033333332},
                                   {1.020899935, -0.466666668, -2.040321898},
                                   {1.033292986, -0.486293384, -2.022934538},
                                   {1.010915951, -0.479524075, -2.042978935},
                                   {1.006234827, -0.454763073, -2.042978935},
                                   {1.019608401, -0.464411935, -2.025248478}}) <= 1);
}

// PyTorch 2.15, RMSprop(lr=0.01, alpha=0.9, eps=1e-3, weight_decay=0.1, momentum=0.5, centered=True).
TEST_CASE("centered, with momentum and decay") {
  Test test(settings().set("alpha", 0.9).set("epsilon", 1e-3).set("momentum", 0.5).set("centered", true),
            {0.01, 0.5, 0.1});
  CHECK(test.optimizer.path_error({{1.033236994, -0.468750000, -2.033227848},
                                   {1.034498634, -0.419772952, -2.051395882},
                                   {1.045360880, -0.413627727, -2.038062714},
                                   {1.026864006, -0.402779434, -2.048312917},
                                   {1.011132391, -0.372257883, -2.048929646},
                                   {1.014807864, -0.365823552, -2.028166009}}) <= 1);
}

TEST_CASE("how shards combine what it remembers") {
  const Test test(settings().set("momentum", 0.5).set("centered", true), {0.01, 0.5, 0});
  REQUIRE(test.optimizer.slot_specs.size() == 3);
  CHECK(test.optimizer.slot_specs[0].reduce == PLAIT_REDUCE_MEAN64);
  CHECK(test.optimizer.slot_specs[1].reduce == PLAIT_REDUCE_MEAN32);
  CHECK(test.optimizer.slot_specs[2].reduce == PLAIT_REDUCE_MEAN32);
}

// The mean of squares less the square of the mean is 0 but for rounding, which may be on either side.
TEST_CASE("centered, a gradient that stays the same is no NaN") {
  Test test(settings().set("alpha", 0.5).set("centered", true), {0.01, 0, 0}, 1000);
  for (int i = 0; i < 60; ++i) test.optimizer.step();
  for (const float w : test.optimizer.weights.f32()) CHECK(std::isfinite(w));
}

TEST_CASE("biases do not decay") {
  Test test(settings(), {0.5, 0, 0.5}, 1);
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
  Test zeros(settings().set("momentum", 0.9).set("centered", true), {0.01, 0.9, 0.1}, 40);
  CHECK(zeros.optimizer.keeps_zeros());
  Test one(settings().set("momentum", 0.9).set("centered", true), {0.01, 0.9, 0.1}, 50'001),
      four(settings().set("momentum", 0.9).set("centered", true), {0.01, 0.9, 0.1}, 50'001);
  four.host.lanes = 4;
  for (int i = 0; i < 3; ++i) one.optimizer.step(), four.optimizer.step();
  CHECK(one.optimizer.same_bits(four.optimizer));
}

}  // namespace
