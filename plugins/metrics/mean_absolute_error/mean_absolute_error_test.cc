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
      : metric(host, linked("plait.mean_absolute_error"), Settings(linked("plait.mean_absolute_error")),
               {"p", DType::f32, std::move(prediction), variable_axis}, {"t", type, std::move(target)}) {}
};

TEST_CASE("by hand, over two batches") {
  Test test({2, 1}, {2});
  CHECK(test.metric.finish()[0] == 0);
  test.metric.prediction.fill({1, 5});
  test.metric.target.fill({4, 5});
  test.metric.update();
  test.metric.target.fill({1, 0});
  test.metric.update();
  CHECK(test.metric.finish()[0] == (3 + 5) / 4.0);
  CHECK(!test.metric.higher_is_better(0));
}

TEST_CASE("bytes as targets, and lengths") {
  Test test({2, 2, 1}, {2, 2, 1}, DType::u8, 1);
  test.metric.prediction.lengths = {1, 2};
  test.metric.prediction.fill({3, 99, 4, 6});
  std::fill(test.metric.target.data<uint8_t>().begin(), test.metric.target.data<uint8_t>().end(), uint8_t{5});
  test.metric.update();
  CHECK(test.metric.finish()[0] == doctest::Approx(4. / 3).epsilon(1e-15));  // 2, 1 and 1
}

TEST_CASE("other numbers of elements are refused") {
  CHECK_THROWS_WITH(Test({2, 3}, {2}),
                    "target f32[2] has not as many elements per sample as prediction f32[2, 3]");
}

}  // namespace
