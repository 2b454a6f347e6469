#include <doctest/doctest.h>
#include <plait/sdk/testing_metric.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  MetricTest metric;
  Test(std::vector<int64_t> prediction, std::vector<int64_t> target, DType type = DType::f32,
       int variable_axis = -1)
      : metric(host, linked("plait.r2"), Settings(linked("plait.r2")),
               {"p", DType::f32, std::move(prediction), variable_axis}, {"t", type, std::move(target)}) {}
};

// scikit-learn's documentation of r2_score has the same numbers: 0.948...
TEST_CASE("by hand, over two batches") {
  Test test({2, 1}, {2});
  CHECK(test.metric.finish()[0] == 0);
  test.metric.prediction.fill({2.5f, 0}), test.metric.target.fill({3, -0.5f});
  test.metric.update();
  test.metric.prediction.fill({2, 8}), test.metric.target.fill({2, 7});
  test.metric.update();
  // (0.25 + 0.25 + 0 + 1) over 62.25 - 11.5^2 / 4
  CHECK(test.metric.finish()[0] == doctest::Approx(1 - 1.5 / 29.1875).epsilon(1e-14));
  CHECK(test.metric.higher_is_better(0));
}

TEST_CASE("several outputs: the mean of each one's") {
  Test test({3, 2}, {3, 2});
  test.metric.prediction.fill({0, 2, -1, 2, 8, -5});
  test.metric.target.fill({0.5f, 1, -1, 1, 7, -6});
  test.metric.update();
  const double first = 1 - 1.25 / (50.25 - 6.5 * 6.5 / 3), second = 1 - 3 / (38 - 16. / 3);
  CHECK(test.metric.finish()[0] == doctest::Approx((first + second) / 2).epsilon(1e-14));
}

TEST_CASE("targets that are all alike: 1 where they are met, else 0; lengths") {
  Test test({2, 2, 1}, {2, 2, 1}, DType::u8, 1);
  test.metric.prediction.lengths = {1, 2};
  test.metric.prediction.fill({5, 99, 5, 5});
  std::fill(test.metric.target.data<uint8_t>().begin(), test.metric.target.data<uint8_t>().end(), uint8_t{5});
  test.metric.update();
  CHECK(test.metric.finish()[0] == 1);
  test.metric.prediction.fill({5, 99, 5, 6});
  test.metric.update();
  CHECK(test.metric.finish()[0] == 0);
}

}  // namespace
