#include <doctest/doctest.h>
#include <plait/sdk/testing_loss.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  LossTest loss;
  Test(Settings settings, std::vector<int64_t> shape, PartSpec target, bool weighted = false)
      : loss(host, linked("plait.contrastive"), std::move(settings),
             std::vector<PartSpec>{{"a", DType::f32, shape}, {"b", DType::f32, shape}},
             std::vector<PartSpec>{std::move(target)}, weighted) {}
};
Settings settings() { return Settings(linked("plait.contrastive")); }

TEST_CASE("by hand: distances of 5, 0.5, 0 and 3") {
  Test test(settings(), {4, 2}, {"t", DType::f32, {4}});
  test.loss.predictions[0].fill({3, 4, 0.5f, 0, 1, 1, 3, 0});
  test.loss.predictions[1].fill({0, 0, 0, 0, 1, 1, 0, 0});
  test.loss.target.fill({1, 0, 0, 0});
  test.loss.gradient_scale = 4;
  CHECK(test.loss.compute() == (12.5 + 0.125 + 0.5 + 0) / 4);
  // a - b; -(1 - 0.5) / 0.5 (a - b); none at distance 0; none beyond the margin
  const float expected[8] = {3, 4, -0.5f, 0, 0, 0, 0, 0};
  for (size_t i = 0; i < 8; ++i) {
    CHECK(test.loss.gradients[0].f32()[i] == expected[i]);
    CHECK(test.loss.gradients[1].f32()[i] == -expected[i]);
  }
}

TEST_CASE("weights of samples, one of none with numbers that are none") {
  Test test(settings().set("margin", 2), {3, 1}, {"t", DType::i32, {3, 1}}, true);
  test.loss.predictions[0].fill({1, NAN, 2});
  test.loss.predictions[1].fill({0, 1, 0});
  const int32_t alike[] = {0, 7, 1};
  std::copy(std::begin(alike), std::end(alike), test.loss.target.data<int32_t>().begin());
  test.loss.weights->fill({3, 0, 1});
  CHECK(test.loss.compute() == (3 * 0.5 + 2) / 4);
  CHECK(test.loss.bad_target == -1);
  const float expected[3] = {-0.75f, 0, 0.5f};
  for (size_t i = 0; i < 3; ++i) CHECK(test.loss.gradients[0].f32()[i] == expected[i]);
}

TEST_CASE("NaN reaches the loss, and a target that is neither is told") {
  for (const float alike : {0.0f, 1.0f}) {
    Test test(settings(), {1, 2}, {"t", DType::f32, {1}});
    test.loss.predictions[0].fill({NAN, 1}), test.loss.predictions[1].fill({0, 0});
    test.loss.target.fill({alike});
    CHECK(std::isnan(test.loss.compute()));
  }
  Test test(settings(), {2, 1}, {"t", DType::f32, {2}});
  test.loss.target.fill({1, 0.5f});
  test.loss.compute();
  CHECK(test.loss.bad_target == 1);
}

TEST_CASE("shapes that do not fit are refused") {
  CHECK_THROWS_WITH(Test(settings(), {2, 3}, {"t", DType::f32, {2, 3}}),
                    "target is f32[2, 3], wanted one number per sample: [2]");
  CHECK_THROWS_WITH(Test(settings(), {2}, {"t", DType::f32, {2}}),
                    "a is f32[2], wanted f32[N, ...] without a variable axis");
}

}  // namespace
