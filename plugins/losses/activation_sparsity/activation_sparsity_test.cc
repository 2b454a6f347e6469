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
  Test(Settings settings, PartSpec prediction, bool weighted = false)
      : loss(host, linked("plait.activation_sparsity"), std::move(settings),
             std::vector<PartSpec>{std::move(prediction)}, {}, weighted) {}
};
Settings settings() { return Settings(linked("plait.activation_sparsity")); }

// The formula by PyTorch 2.15 and its gradient, in f64; f32 rounds the gradient once.
TEST_CASE("two units over three samples") {
  Test test(settings(), {"p", DType::f32, {3, 2}});
  test.loss.prediction.fill({0.5f, 0.125f, 0.25f, 0, 0.75f, 0.0625f});
  CHECK(test.loss.compute() == doctest::Approx(0.496057725061).epsilon(1e-9));
  CHECK(test.loss.result[1] == 3);
  const double gradient[] = {0.6, 0.0711111111, 0.6, 0.0711111111, 0.6, 0.0711111111};
  for (size_t i = 0; i < 6; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(gradient[i]).epsilon(2e-7));
}

TEST_CASE("a mean as wanted is no loss; weights and lengths decide whose mean it is") {
  Test test(settings().set("mean", 0.25), {"p", DType::f32, {2, 2, 1}, 1}, true);
  test.loss.prediction.lengths = {1, 2};
  test.loss.prediction.fill({0.5f, NAN, 0.125f, 0});
  test.loss.weights->fill({1, 2});
  test.loss.compute();
  const double a = (0.5 + 2 * 0.125) / 5;
  CHECK(test.loss.result[1] == 5);
  CHECK(test.loss.result[0] / 5 ==
        doctest::Approx(0.25 * std::log(0.25 / a) + 0.75 * std::log(0.75 / (1 - a))).epsilon(1e-12));
  const double slope = (0.75 / (1 - a) - 0.25 / a) / 5;
  const double expected[] = {slope, 0, 2 * slope, 2 * slope};
  for (size_t i = 0; i < 4; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(expected[i]).epsilon(2e-7));
  test.loss.prediction.fill({0.25f, 7, 0.25f, 0.25f});
  CHECK(std::abs(test.loss.compute()) < 1e-15);
}

TEST_CASE(
    "units that never answer, or always, have a loss along a tangent, and a gradient that brings them back") {
  Test test(settings(), {"p", DType::f32, {2, 3}});
  test.loss.prediction.fill({0, 1, -5, 0, 1, -5});
  const double at_0 = test.loss.compute();
  CHECK(std::isfinite(at_0));
  CHECK(test.loss.gradient.f32()[0] == doctest::Approx((0.95 / (1 - 1e-4) - 0.05 / 1e-4) / 2).epsilon(1e-6));
  CHECK(test.loss.gradient.f32()[1] > 100);
  CHECK(test.loss.gradient.f32()[2] == test.loss.gradient.f32()[0]);
}

TEST_CASE("a vector is refused") {
  CHECK_THROWS_WITH(Test(settings(), {"p", DType::f32, {6}}),
                    "prediction is f32[6], wanted f32[N, ..., units]");
}

}  // namespace
