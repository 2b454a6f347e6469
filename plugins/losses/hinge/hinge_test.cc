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
      : loss(host, linked("plait.hinge"), std::move(settings), std::move(prediction), std::move(target)) {}
};
Settings settings() { return Settings(linked("plait.hinge")); }

// PyTorch 2.15, MultiMarginLoss(), in f64; f32 rounds the gradient once.
TEST_CASE("PyTorch's MultiMarginLoss") {
  Test test(settings(), {"p", DType::f32, {2, 3}}, {"t", DType::i32, {2}});
  test.loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f});
  const int32_t labels[] = {0, 2};
  std::copy(std::begin(labels), std::end(labels), test.loss.target.data<int32_t>().begin());
  CHECK(test.loss.compute() == doctest::Approx(0).epsilon(1e-9));
  const double gradient[] = {0, 0, 0, 0, 0, 0};
  for (size_t i = 0; i < 6; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(gradient[i]).epsilon(2e-7));
  CHECK(test.loss.bad_target == -1);
}

// PyTorch 2.15, MultiMarginLoss(p=2, margin=0.5), in f64; f32 rounds the gradient once.
TEST_CASE("squared, another margin") {
  Test test(settings().set("margin", 0.5).set("squared", true), {"p", DType::f32, {3, 2}},
            {"t", DType::i32, {3, 1}});
  test.loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f});
  const int32_t labels[] = {1, 1, 0};
  std::copy(std::begin(labels), std::end(labels), test.loss.target.data<int32_t>().begin());
  CHECK(test.loss.compute() == doctest::Approx(7.92708333333).epsilon(1e-9));
  const double gradient[] = {1.33333333, -1.33333333, 1.58333333, -1.58333333, -1, 1};
  for (size_t i = 0; i < 6; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(gradient[i]).epsilon(2e-7));
  CHECK(test.loss.bad_target == -1);
}

// PyTorch 2.15, mean of relu(1 - y x), in f64; f32 rounds the gradient once.
TEST_CASE("one score: hinge of class 0 and 1 as -1 and 1") {
  Test test(settings(), {"p", DType::f32, {6, 1}}, {"t", DType::i32, {6}});
  test.loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f});
  const int32_t labels[] = {1, 0, 1, 0, 0, 1};
  std::copy(std::begin(labels), std::end(labels), test.loss.target.data<int32_t>().begin());
  CHECK(test.loss.compute() == doctest::Approx(0.375).epsilon(1e-9));
  const double gradient[] = {-0, 0, -0.166666667, 0, 0.166666667, -0};
  for (size_t i = 0; i < 6; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(gradient[i]).epsilon(2e-7));
  CHECK(test.loss.bad_target == -1);
}

TEST_CASE("what is no class is told by its sample; positions past a length count for nothing") {
  TestHost host;
  LossTest loss(host, linked("plait.hinge"), settings(),
                std::vector<PartSpec>{{"p", DType::f32, {2, 2, 2}, 1}},
                std::vector<PartSpec>{{"t", DType::i32, {2, 2}, 1}}, true);
  loss.prediction.lengths = {1, 2};
  loss.prediction.fill({0, 0.5f, NAN, NAN, 0.25f, 0, 0, 1});
  const int32_t labels[] = {0, 99, 0, 1};
  std::copy(std::begin(labels), std::end(labels), loss.target.data<int32_t>().begin());
  loss.weights->fill({2, 1});
  CHECK(loss.compute() == (2 * 1.5 / 2 + 0.75 / 2 + 0) / 4);
  CHECK(loss.result[1] == 4);
  CHECK(loss.bad_target == -1);
  const float expected[8] = {-0.25f, 0.25f, 0, 0, -0.125f, 0.125f, 0, 0};
  for (size_t i = 0; i < 8; ++i) CHECK(loss.gradient.f32()[i] == expected[i]);
  loss.target.data<int32_t>()[3] = 2;
  loss.compute();
  CHECK(loss.bad_target == 1);
}

TEST_CASE("shapes that do not fit are refused") {
  CHECK_THROWS_WITH(Test(settings(), {"p", DType::f32, {2, 3}}, {"t", DType::i32, {3}}),
                    "target is i32[3], wanted one class number per position of prediction f32[2, 3]");
}

}  // namespace
