#include <doctest/doctest.h>
#include <plait/sdk/testing_loss.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>
#include <cstring>

#include "kernels.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  Entry entry = linked("plait.softmax_cross_entropy");
  LossTest loss;
  Test(std::vector<int64_t> prediction, std::vector<int64_t> target, DType labels = DType::i32,
       int variable_axis = -1)
      : loss(host, entry, Settings(entry), {"p", DType::f32, std::move(prediction), variable_axis},
             {"label", labels, std::move(target)}) {}
};

// The loss of one row and its gradient, in double, straight from the definition.
double by_definition(std::span<const float> x, size_t label, std::vector<double>* p) {
  double sum = 0, largest = x[0];
  for (const float value : x) largest = std::max<double>(largest, value);
  for (const float value : x) sum += std::exp(value - largest);
  for (const float value : x) p->push_back(std::exp(value - largest) / sum);
  const double loss = largest + std::log(sum) - x[label];
  (*p)[label] -= 1;
  return loss;
}

TEST_CASE("loss and gradient are those of the definition, for few and for many classes") {
  for (const int64_t classes : {1, 2, 3, 10, 17, 1000}) {
    CAPTURE(classes);
    Test test({7, classes}, {7});
    test.loss.prediction.randomize(3, -20, 20);
    test.loss.gradient_scale = 0.5;
    const auto labels = test.loss.target.data<int32_t>();
    for (int64_t n = 0; n < 7; ++n) labels[static_cast<size_t>(n)] = static_cast<int32_t>(n * 5 % classes);
    const double mean = test.loss.compute();
    double expected = 0, worst = 0;
    for (size_t n = 0; n < 7; ++n) {
      std::vector<double> p;
      expected +=
          by_definition(test.loss.prediction.view().sample<float>(n), static_cast<size_t>(labels[n]), &p);
      const auto dx = test.loss.gradient.view().sample<float>(n);
      for (size_t i = 0; i < p.size(); ++i) worst = std::max(worst, std::abs(dx[i] - 0.5 * p[i] / 7));
    }
    // Each exponential is within 2 units of the last place of f32 (1.2e-7 relative), each loss within as
    // much.
    CHECK(mean == doctest::Approx(expected / 7).epsilon(5e-7));
    CHECK(worst < 0.5 / 7 * 5e-7);
    CHECK(test.loss.result[1] == 7);
    CHECK(test.loss.bad_target == -1);
  }
}

TEST_CASE("scores far apart neither overflow nor lose the loss") {
  Test test({2, 3}, {2});
  test.loss.prediction.fill({1e30f, 0, -1e30f, 3e38f, -3e38f, 0});
  const auto labels = test.loss.target.data<int32_t>();
  labels[0] = 0, labels[1] = 0;
  CHECK(test.loss.compute() == 0);
  for (const float dx : test.loss.gradient.f32()) CHECK(std::abs(dx) < 1e-37f);
}

TEST_CASE("a NaN among the scores reaches the loss") {
  Test test({1, 12}, {1});
  test.loss.target.data<int32_t>()[0] = 0;
  for (size_t place = 0; place < 12; ++place) {
    std::fill(test.loss.prediction.f32().begin(), test.loss.prediction.f32().end(), 1.0f);
    test.loss.prediction.f32()[place] = NAN;
    CHECK(std::isnan(test.loss.compute()));
  }
}

TEST_CASE("labels of every element type, in rows or in a column") {
  const auto with = [](DType type, std::vector<int64_t> shape, auto label) {
    Test test({2, 4}, std::move(shape), type);
    test.loss.prediction.fill({1, 2, 3, 4, 4, 3, 2, 1});
    const auto labels = test.loss.target.data<decltype(label)>();
    labels[0] = 2, labels[1] = 3;
    return test.loss.compute();
  };
  const double expected = with(DType::i32, {2}, int32_t{});
  CHECK(with(DType::i64, {2, 1}, int64_t{}) == expected);
  CHECK(with(DType::u8, {2}, uint8_t{}) == expected);
  CHECK(with(DType::f32, {2, 1}, float{}) == expected);
}

TEST_CASE("the first label that is no class is named and has no gradient") {
  Test test({4, 3}, {4});
  test.loss.prediction.randomize(1);
  const auto labels = test.loss.target.data<int32_t>();
  labels[0] = 1, labels[1] = 3, labels[2] = -1, labels[3] = 0;
  test.loss.compute();
  CHECK(test.loss.bad_target == 1);
  for (const float dx : test.loss.gradient.view().sample<float>(1)) CHECK(dx == 0);

  Test fraction({1, 3}, {1}, DType::f32);
  fraction.loss.prediction.randomize(1);
  fraction.loss.target.f32()[0] = 0.5f;
  fraction.loss.compute();
  CHECK(fraction.loss.bad_target == 0);
}

TEST_CASE("positions past a sample's length count for nothing") {
  Test test({2, 3, 4}, {2, 3}, DType::i32, 1);
  Test valid({3, 4}, {3});  // what is left: one position of sample 0, two of sample 1
  test.loss.prediction.randomize(9);
  test.loss.prediction.lengths = {1, 2};
  const auto labels = test.loss.target.data<int32_t>(), kept = valid.loss.target.data<int32_t>();
  const int32_t all[6] = {1, 77, -5, 3, 0, 77};
  std::copy(all, all + 6, labels.begin());
  kept[0] = 1, kept[1] = 3, kept[2] = 0;
  const float* x = test.loss.prediction.f32().data();
  std::copy_n(x, 4, valid.loss.prediction.f32().data());
  std::copy_n(x + 12, 8, valid.loss.prediction.f32().data() + 4);

  CHECK(test.loss.compute() == doctest::Approx(valid.loss.compute()).epsilon(1e-12));
  CHECK(test.loss.result[1] == 3);
  CHECK(test.loss.bad_target == -1);
  const float* dx = test.loss.gradient.f32().data();
  CHECK(std::memcmp(dx, valid.loss.gradient.f32().data(), 4 * sizeof(float)) == 0);
  CHECK(std::memcmp(dx + 12, valid.loss.gradient.f32().data() + 4, 8 * sizeof(float)) == 0);
  for (const size_t i : {4, 5, 11, 20, 23}) CHECK(dx[i] == 0);
}

TEST_CASE("the same bits on one lane and on four, with and without the gradient") {
  const auto bits = [](int lanes, bool with_gradient) {
    Test test({900, 10}, {900});
    test.host.lanes = lanes;
    test.loss.prediction.randomize(4, -9, 9);
    for (size_t n = 0; n < 900; ++n) test.loss.target.data<int32_t>()[n] = static_cast<int32_t>(n % 10);
    test.loss.compute(with_gradient);
    return test.loss.result[0];
  };
  const double one = bits(1, true);
  CHECK(bits(4, true) == one);
  CHECK(bits(4, false) == one);
}

TEST_CASE("shapes that do not fit are refused with both of them") {
  CHECK_THROWS_WITH(Test({2, 3}, {3}), "target is i32[3], wanted one class number per position: [2]");
  CHECK_THROWS_WITH(Test({2, 5, 3}, {2}), "target is i32[2], wanted one class number per position: [2, 5]");
  CHECK_THROWS_WITH(Test({6}, {6}), "prediction is f32[6], wanted f32[N, ..., classes]");
  CHECK_THROWS_WITH(Test({2, 3}, {2}, DType::f64),
                    "target is f64[2], wanted class numbers as i32, i64, u8 or f32");
}

}  // namespace
