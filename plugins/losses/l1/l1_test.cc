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
      : loss(host, linked("plait.l1"), std::move(settings), std::move(prediction), std::move(target)) {}
};
Settings settings() { return Settings(linked("plait.l1")); }

// PyTorch 2.15, L1Loss(), in f64; f32 rounds the gradient once.
TEST_CASE("PyTorch's L1Loss") {
  Test test(settings(), {"p", DType::f32, {3, 2}}, {"t", DType::f32, {3, 2}});
  test.loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f});
  test.loss.target.fill({1.0f, -2.0f, 0.25f, 1.0f, 0.0f, 0.5f});
  CHECK(test.loss.compute() == doctest::Approx(1.58333333333).epsilon(1e-9));
  const double gradient[] = {0.166666667, 0.166666667, 0, -0.166666667, 0.166666667, 0.166666667};
  for (size_t i = 0; i < 6; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(gradient[i]).epsilon(2e-7));
  CHECK(test.loss.bad_target == -1);
}

TEST_CASE("without a target: a penalty of what is not 0") {
  TestHost host;
  LossTest penalty(host, linked("plait.l1"), settings(), std::vector<PartSpec>{{"p", DType::f32, {2, 2}}},
                   {});
  penalty.prediction.fill({3, 0, -0.5f, 1});
  penalty.gradient_scale = 2;
  CHECK(penalty.compute() == 4.5 / 4);
  const float expected[4] = {0.5f, 0, -0.5f, 0.5f};
  for (size_t i = 0; i < 4; ++i) CHECK(penalty.gradient.f32()[i] == expected[i]);
}

TEST_CASE("elements past a sample's length count for nothing, nor do samples without weight") {
  TestHost host;
  LossTest loss(host, linked("plait.l1"), settings(), std::vector<PartSpec>{{"p", DType::f32, {3, 3, 1}, 1}},
                std::vector<PartSpec>{{"t", DType::u8, {3, 3, 1}, 1}}, true);
  loss.prediction.lengths = {1, 3, 2};
  loss.prediction.fill({3, 50, 50, 1, 1, 1, NAN, NAN, NAN});
  std::fill(loss.target.data<uint8_t>().begin(), loss.target.data<uint8_t>().end(), uint8_t{2});
  loss.weights->fill({2, 0.5f, 0});
  CHECK(loss.compute() == (2 * 1 + 0.5 * 3) / (2 + 1.5));
  CHECK(loss.result[1] == 3.5);
  const auto dx = loss.gradient.f32();
  CHECK(dx[0] == doctest::Approx(2 / 3.5));
  CHECK(dx[3] == doctest::Approx(-0.5 / 3.5));
  for (const size_t i : {1, 2, 6, 7, 8}) CHECK(dx[i] == 0);
}

TEST_CASE("many samples, across the pieces of work, give the same sum on any number of lanes") {
  Test test(settings(), {"p", DType::f32, {400, 99}}, {"t", DType::f32, {400, 9, 11}});
  test.host.lanes = 3;
  test.loss.prediction.randomize(1), test.loss.target.randomize(2);
  double sum = 0;
  for (size_t i = 0; i < 400 * 99; ++i)
    sum += std::abs(double{test.loss.prediction.f32()[i]} - test.loss.target.f32()[i]);
  // Both sums are in f64: they differ by the order alone, some 40,000 roundings of 1e-16.
  CHECK(test.loss.compute() == doctest::Approx(sum / (400 * 99)).epsilon(1e-11));
  const double several = test.loss.result[0];
  test.host.lanes = 1;
  test.loss.compute(false);
  CHECK(test.loss.result[0] == several);
}

TEST_CASE("other numbers of elements, and other types, are refused") {
  CHECK_THROWS_WITH(Test(settings(), {"p", DType::f32, {2, 3}}, {"t", DType::f32, {2, 4}}),
                    "target f32[2, 4] has not as many elements per sample as prediction f32[2, 3]");
  CHECK_THROWS_WITH(Test(settings(), {"p", DType::f32, {2, 3}}, {"t", DType::f64, {2, 3}}),
                    "target is f64[2, 3], wanted f32, u8, i32 or i64");
}

}  // namespace
