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
      : loss(host, linked("plait.focal"), std::move(settings), std::move(prediction), std::move(target)) {}
};
Settings settings() { return Settings(linked("plait.focal")); }

// PyTorch 2.15, the formula of torchvision's sigmoid_focal_loss(alpha=0.25, gamma=2), in f64; f32 rounds the
// gradient once.
TEST_CASE("torchvision's sigmoid_focal_loss") {
  Test test(settings(), {"p", DType::f32, {3, 2}}, {"t", DType::f32, {3, 2}});
  test.loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f});
  test.loss.target.fill({1.0f, 0.0f, 0.25f, 1.0f, 0.0f, 0.5f});
  CHECK(test.loss.compute() == doctest::Approx(0.264236544504).epsilon(1e-9));
  const double gradient[] = {-0.000202955841, 0.00212888815, 0.0195673786,
                             -0.0452664939,   0.0657689777,  0.00942862764};
  for (size_t i = 0; i < 6; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(gradient[i]).epsilon(2e-7));
  CHECK(test.loss.bad_target == -1);
}

// PyTorch 2.15, the same with alpha=0.5, gamma=0.5, in f64; f32 rounds the gradient once.
TEST_CASE("another gamma, of yes and no alone") {
  Test test(settings().set("gamma", 0.5).set("alpha", 0.5), {"p", DType::f32, {6}},
            {"t", DType::i32, {6, 1}});
  test.loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f});
  const int32_t labels[] = {0, 1, 0, 1, 1, 0};
  std::copy(std::begin(labels), std::end(labels), test.loss.target.data<int32_t>().begin());
  CHECK(test.loss.compute() == doctest::Approx(0.950199348086).epsilon(1e-9));
  const double gradient[] = {0.0788006501,  -0.073297707,  0.0464231666,
                             -0.0840792969, -0.0268863777, 0.0833556117};
  for (size_t i = 0; i < 6; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(gradient[i]).epsilon(2e-7));
  CHECK(test.loss.bad_target == -1);
}

// PyTorch 2.15, BCEWithLogitsLoss() / 2, in f64; f32 rounds the gradient once.
TEST_CASE("gamma 0 is half of the binary cross entropy") {
  Test test(settings().set("gamma", 0).set("alpha", 0.5), {"p", DType::f32, {3, 2}},
            {"t", DType::f32, {3, 2}});
  test.loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f});
  test.loss.target.fill({1.0f, 0.0f, 0.25f, 1.0f, 0.0f, 0.5f});
  CHECK(test.loss.compute() == doctest::Approx(0.636049581048).epsilon(1e-9));
  const double gradient[] = {-0.00993357684, 0.015202127,  0.0260147084,
                             -0.0818344825,  0.0518716109, 0.0377145106};
  for (size_t i = 0; i < 6; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(gradient[i]).epsilon(2e-7));
  CHECK(test.loss.bad_target == -1);
}

TEST_CASE("scores of any size have a loss") {
  for (const double gamma : {0.0, 0.5, 2.0}) {
    Test test(settings().set("gamma", gamma), {"p", DType::f32, {3}}, {"t", DType::f32, {3}});
    test.loss.prediction.fill({1e30f, -1e30f, 1e30f});
    test.loss.target.fill({1, 1, 0.5f});
    CHECK(std::isfinite(test.loss.compute()));
    for (const float dx : test.loss.gradient.f32()) CHECK(std::isfinite(dx));
  }
}

TEST_CASE("targets that are no shares are told by their sample") {
  Test test(settings(), {"p", DType::f32, {2}}, {"t", DType::f32, {2}});
  test.loss.prediction.fill({1, 2});
  test.loss.target.fill({1, 2});
  test.loss.compute();
  CHECK(test.loss.bad_target == 1);
}

}  // namespace
