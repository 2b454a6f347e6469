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
  Test(Settings settings, PartSpec prediction, PartSpec target)
      : loss(host, linked("plait.huber"), std::move(settings), std::move(prediction), std::move(target)) {}
};
Settings settings() { return Settings(linked("plait.huber")); }

// PyTorch 2.15, HuberLoss(), in f64; f32 rounds the gradient once.
TEST_CASE("PyTorch's HuberLoss") {
  Test test(settings(), {"p", DType::f32, {3, 2}}, {"t", DType::f32, {3, 2}});
  test.loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f});
  test.loss.target.fill({1.0f, -2.0f, 0.25f, 1.0f, 0.0f, 0.5f});
  CHECK(test.loss.compute() == doctest::Approx(1.20833333333).epsilon(1e-9));
  const double gradient[] = {0.166666667, 0.0833333333, 0, -0.166666667, 0.0833333333, 0.166666667};
  for (size_t i = 0; i < 6; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(gradient[i]).epsilon(2e-7));
  CHECK(test.loss.bad_target == -1);
}

// PyTorch 2.15, HuberLoss(delta=0.75), in f64; f32 rounds the gradient once.
TEST_CASE("another delta") {
  Test test(settings().set("delta", 0.75), {"p", DType::f32, {6}}, {"t", DType::i32, {6, 1}});
  test.loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f});
  const int32_t labels[] = {0, 1, 0, 2, 1, 2};
  std::copy(std::begin(labels), std::end(labels), test.loss.target.data<int32_t>().begin());
  CHECK(test.loss.compute() == doctest::Approx(1.27604166667).epsilon(1e-9));
  const double gradient[] = {0.125, -0.125, 0.0416666667, -0.125, -0.0833333333, 0.125};
  for (size_t i = 0; i < 6; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(gradient[i]).epsilon(2e-7));
  CHECK(test.loss.bad_target == -1);
}

}  // namespace
