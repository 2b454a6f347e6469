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
      : loss(host, linked("plait.kl_divergence"), std::move(settings), std::move(prediction),
             std::move(target)) {}
};
Settings settings() { return Settings(linked("plait.kl_divergence")); }

// PyTorch 2.15, KLDivLoss(reduction='batchmean'), in f64; f32 rounds the gradient once.
TEST_CASE("PyTorch's KLDivLoss") {
  Test test(settings(), {"p", DType::f32, {2, 3}}, {"t", DType::f32, {2, 3}});
  test.loss.prediction.fill({-1.6094379425048828f, -1.2039728164672852f, -0.6931471824645996f,
                             -1.3862943649291992f, -2.079441547393799f, -0.4700036346912384f});
  test.loss.target.fill({0.5f, 0.0f, 0.5f, 0.25f, 0.25f, 0.5f});
  CHECK(test.loss.compute() == doctest::Approx(0.259930203256).epsilon(1e-9));
  const double gradient[] = {-0.25, -0, -0.25, -0.125, -0.125, -0.25};
  for (size_t i = 0; i < 6; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(gradient[i]).epsilon(2e-7));
  CHECK(test.loss.bad_target == -1);
}

TEST_CASE("equal distributions are no loss; the mean is over samples and positions") {
  Test test(settings(), {"p", DType::f32, {2, 2, 2}}, {"t", DType::f32, {2, 2, 2}});
  for (size_t i = 0; i < 8; ++i) test.loss.target.f32()[i] = i % 2 == 0 ? 0.25f : 0.75f;
  for (size_t i = 0; i < 8; ++i) test.loss.prediction.f32()[i] = std::log(test.loss.target.f32()[i]);
  CHECK(std::abs(test.loss.compute()) < 1e-7);  // logarithms are rounded to f32
  CHECK(test.loss.result[1] == 4);
}

TEST_CASE("a negative target is told by its sample, and a vector is refused") {
  Test test(settings(), {"p", DType::f32, {2, 2}}, {"t", DType::f32, {2, 2}});
  test.loss.prediction.fill({-1, -1, -1, -1});
  test.loss.target.fill({0.5f, 0.5f, 1, -0.5f});
  test.loss.compute();
  CHECK(test.loss.bad_target == 1);
  CHECK_THROWS_WITH(Test(settings(), {"p", DType::f32, {2}}, {"t", DType::f32, {2}}),
                    "prediction is f32[2], wanted f32[N, ..., classes]");
}

}  // namespace
