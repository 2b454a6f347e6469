#include <doctest/doctest.h>
#include <plait/sdk/testing_loss.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  Entry entry = linked("plait.triplet");
  LossTest loss;
  explicit Test(std::vector<std::vector<int64_t>> shapes, bool weighted = false)
      : loss(host, entry, Settings(entry).set("margin", 0.5), specs(shapes), {}, weighted) {}
  static std::vector<PartSpec> specs(const std::vector<std::vector<int64_t>>& shapes) {
    std::vector<PartSpec> made;
    for (const auto& shape : shapes) made.emplace_back("p", DType::f32, shape);
    return made;
  }
};

TEST_CASE("by hand: one triplet within the margin, one beyond it") {
  Test test({{2, 2}, {2, 2}, {2, 2}});
  auto& p = test.loss.predictions;
  p[0].fill({0, 0, 1, 1});
  p[1].fill({1, 0, 1, 1});
  p[2].fill({0, 1, 4, 5});
  test.loss.gradient_scale = 3;
  CHECK(test.loss.compute() == 0.25);  // 1 - 1 + 0.5, and 0 - 25 + 0.5 below 0, over two
  CHECK(test.loss.result[1] == 2);
  const float anchor[4] = {-3, 3, 0, 0}, positive[4] = {3, 0, 0, 0}, negative[4] = {0, -3, 0, 0};
  for (size_t i = 0; i < 4; ++i) {
    CHECK(test.loss.gradients[0].f32()[i] == anchor[i]);  // 3 * 2 (negative - positive) / 2
    CHECK(test.loss.gradients[1].f32()[i] == positive[i]);
    CHECK(test.loss.gradients[2].f32()[i] == negative[i]);
  }
}

TEST_CASE("weights of samples") {
  Test test({{2, 1}, {2, 1}, {2, 1}}, true);
  auto& p = test.loss.predictions;
  p[0].fill({0, 0});
  p[1].fill({1, 2});
  p[2].fill({0, NAN});
  test.loss.weights->fill({3, 0});
  CHECK(test.loss.compute() == 1.5);
  CHECK(test.loss.result[1] == 3);
  for (const auto& gradient : test.loss.gradients) CHECK(gradient.f32()[1] == 0);
  CHECK(test.loss.gradients[1].f32()[0] == 2);
}

TEST_CASE("a NaN reaches the loss") {
  Test test({{1, 2}, {1, 2}, {1, 2}});
  for (TestTensor& one : test.loss.predictions) one.fill({1, 1});
  test.loss.predictions[2].f32()[1] = NAN;
  CHECK(std::isnan(test.loss.compute()));
}

TEST_CASE("three shapes are one") {
  CHECK_THROWS_WITH(Test({{2, 3}, {2, 3}, {2, 4}}),
                    "the negative is f32[2, 4], the anchor f32[2, 3]; wanted one shape");
  CHECK_THROWS_WITH(Test({{2}, {2}, {2}}),
                    "the anchor is f32[2], wanted f32[N, ...] without a variable axis");
}

}  // namespace
