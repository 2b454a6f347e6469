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
      : optimizer(host, linked("plait.lamb"), std::move(settings), count, std::move(runtime)) {}
};
Settings settings() { return Settings(linked("plait.lamb")); }

// You et al. 2020, algorithm 2 with phi(z) = z, in f64: weights after steps 1 to 6.
TEST_CASE("algorithm 2 of the paper") {
  Test test(settings(), {0.01, 0});
  CHECK(test.optimizer.path_error({{1.016201852, -0.500000000, -2.016201852},
                                   {1.023163289, -0.485011076, -2.032377270},
                                   {1.044185769, -0.481602941, -2.041742396},
                                   {1.040051078, -0.473508817, -2.063340711},
                                   {1.034704911, -0.455671728, -2.077817794},
                                   {1.040918300, -0.433134024, -2.081423826}}) <= 1);
}

// The same with beta1 = 0.5, beta2 = 0.75, weight_decay = 0.5.
TEST_CASE("short memories and decay") {
  Test test(settings().set("beta1", 0.5).set("beta2", 0.75), {0.1, 0.5});
  CHECK(test.optimizer.path_error({{1.204938950, -0.397530361, -1.999999672},
                                   {1.106999059, -0.190005391, -1.941346165},
                                   {1.083247391, -0.207634914, -1.719020284},
                                   {0.892212887, -0.170097281, -1.657275461},
                                   {0.764897862, -0.051101081, -1.584157900},
                                   {0.746463552, -0.033856937, -1.409987929}}) <= 1);
}

// As the first, of 19 weights.
TEST_CASE("many weights: lengths are those of the whole parameter") {
  Test test(settings(), {0.01, 0.1}, 19);
  CHECK(test.optimizer.path_error(
            {{1.074698886, -0.495850058, -2.066399003, -3.387951903, -5.041499335, -6.363052086, -8.016599657,
              -9.338152380, -10.991699950, -12.313252702, -13.966800134, -15.288353034, -16.858901979,
              -18.429450923, -19.751003824, -21.404551255, -22.726104007, -24.379651577, -25.701204301},
             {1.097971201, -0.418281983, -2.124683497, -3.270694903, -5.057712991, -6.344084182, -7.977367861,
              -9.265804473, -10.879137668, -12.184189315, -13.782010886, -15.105169265, -16.621422450,
              -18.327823963, -19.473835369, -21.260853457, -22.547224649, -24.180508327, -25.468944939}}) <=
        1);
}

TEST_CASE("how shards combine what it remembers") {
  const Test test(settings(), {0.01, 0});
  REQUIRE(test.optimizer.slot_specs.size() == 2);
  CHECK(test.optimizer.slot_specs[0].reduce == PLAIT_REDUCE_MEAN32);
  CHECK(test.optimizer.slot_specs[1].reduce == PLAIT_REDUCE_MEAN64);
}

TEST_CASE("weights of 0, without their length, move as adam moves them") {
  Test test(settings(), {0.5, 0}, 1);
  test.optimizer.weights.fill({0});
  test.optimizer.gradients.fill({4});
  test.optimizer.step();
  CHECK(test.optimizer.weights.f32()[0] == doctest::Approx(-0.5).epsilon(1e-6));
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
