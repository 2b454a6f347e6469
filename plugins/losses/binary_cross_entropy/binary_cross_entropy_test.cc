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
      : loss(host, linked("plait.binary_cross_entropy"), std::move(settings), std::move(prediction),
             std::move(target)) {}
};
Settings settings() { return Settings(linked("plait.binary_cross_entropy")); }

// PyTorch 2.15, BCEWithLogitsLoss(), in f64; f32 rounds the gradient once.
TEST_CASE("PyTorch's BCEWithLogitsLoss") {
  Test test(settings(), {"p", DType::f32, {3, 2}}, {"t", DType::f32, {3, 2}});
  test.loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f});
  test.loss.target.fill({1.0f, 0.0f, 0.25f, 1.0f, 0.0f, 0.5f});
  CHECK(test.loss.compute() == doctest::Approx(1.2720991621).epsilon(1e-9));
  const double gradient[] = {-0.0198671537, 0.030404254, 0.0520294168,
                             -0.163668965,  0.103743222, 0.0754290211};
  for (size_t i = 0; i < 6; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(gradient[i]).epsilon(2e-7));
  CHECK(test.loss.bad_target == -1);
}

// PyTorch 2.15, BCEWithLogitsLoss(pos_weight=3), in f64; f32 rounds the gradient once.
TEST_CASE("positives weigh more") {
  Test test(settings().set("positive_weight", 3), {"p", DType::f32, {6}}, {"t", DType::i32, {6, 1}});
  test.loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f});
  const int32_t labels[] = {0, 1, 0, 1, 1, 0};
  std::copy(std::begin(labels), std::end(labels), test.loss.target.data<int32_t>().begin());
  CHECK(test.loss.compute() == doctest::Approx(4.09706255879).epsilon(1e-9));
  const double gradient[] = {0.146799513,  -0.408787238, 0.0936960835,
                             -0.491006895, -0.188770334, 0.158762354};
  for (size_t i = 0; i < 6; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(gradient[i]).epsilon(2e-7));
  CHECK(test.loss.bad_target == -1);
}

TEST_CASE("scores of any size have a loss, and a gradient that is exact where it is small") {
  Test test(settings(), {"p", DType::f32, {4}}, {"t", DType::f32, {4}});
  test.loss.prediction.fill({3e38f, -3e38f, 80, -80});
  test.loss.target.fill({1, 1, 1, 0});
  CHECK(test.loss.compute() == doctest::Approx(3e38 / 4));
  const auto dx = test.loss.gradient.f32();
  CHECK((dx[0] == 0 && dx[1] == -0.25f));
  CHECK(dx[2] == doctest::Approx(-std::exp(-80.0) / 4).epsilon(1e-6));
  CHECK(dx[3] == doctest::Approx(std::exp(-80.0) / 4).epsilon(1e-6));
}

TEST_CASE("targets that are no shares are told by their sample, and NaN in the prediction reaches the loss") {
  for (const float bad : {-0.25f, 1.5f, NAN, INFINITY}) {
    Test test(settings(), {"p", DType::f32, {2, 2}}, {"t", DType::f32, {2, 2}});
    test.loss.prediction.fill({1, 2, 3, 4});
    test.loss.target.fill({0.5f, 0.5f, bad, 1});
    test.loss.compute();
    CHECK(test.loss.bad_target == 1);
    CHECK((test.loss.gradient.f32()[2] == 0 && test.loss.gradient.f32()[3] == 0));
  }
  Test test(settings(), {"p", DType::f32, {1}}, {"t", DType::f32, {1}});
  test.loss.prediction.fill({NAN});
  test.loss.target.fill({1});
  CHECK(std::isnan(test.loss.compute()));
}

}  // namespace
