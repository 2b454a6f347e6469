#include <doctest/doctest.h>
#include <plait/sdk/testing_metric.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  Entry entry = linked("plait.accuracy");
  MetricTest metric;
  Test(std::vector<int64_t> prediction, std::vector<int64_t> target, int top = 1, DType labels = DType::i32,
       int variable_axis = -1)
      : metric(host, entry, Settings(entry).set("top", top),
               {"p", DType::f32, std::move(prediction), variable_axis},
               {"label", labels, std::move(target)}) {}
};

TEST_CASE("counts right answers over several batches") {
  Test test({2, 3}, {2});
  test.metric.prediction.fill({0.1f, 0.7f, 0.2f, 5, 1, 2});
  const auto labels = test.metric.target.data<int32_t>();
  labels[0] = 1, labels[1] = 2;
  test.metric.update();
  labels[0] = 1, labels[1] = 0;
  test.metric.update();
  CHECK(test.metric.finish()[0] == 0.75);
  CHECK(std::string(test.metric.name(0)) == "accuracy");
  CHECK(test.metric.higher_is_better(0));
}

TEST_CASE("top: one of the highest scores is enough") {
  for (const int top : {1, 2, 3, 4}) {
    Test test({1, 4}, {1, 1}, top, DType::i64);
    test.metric.prediction.fill({4, 1, 3, 2});
    test.metric.target.data<int64_t>()[0] = 3;  // third
    test.metric.update();
    CHECK(test.metric.finish()[0] == (top >= 3 ? 1 : 0));
  }
}

TEST_CASE("the names of values say how many answers count") {
  CHECK(Test({1, 4}, {1}).metric.suffix().empty());
  CHECK(Test({1, 8}, {1}, 5).metric.suffix() == "_top5");
}

TEST_CASE("of equal scores only the first counts; NaN and labels beyond the classes are wrong") {
  Test test({4, 2}, {4}, 1, DType::u8);
  test.metric.prediction.fill({1, 1, 1, 1, 2, NAN, 1, 1});
  const uint8_t labels[4] = {0, 1, 1, 200};
  std::copy(labels, labels + 4, test.metric.target.data<uint8_t>().begin());
  test.metric.update();
  CHECK(test.metric.finish()[0] == 0.25);
}

TEST_CASE("positions past a sample's length are no answers") {
  Test test({2, 3, 2}, {2, 3}, 1, DType::i32, 1);
  test.metric.prediction.fill({1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0});
  test.metric.prediction.lengths = {1, 3};
  std::fill(test.metric.target.data<int32_t>().begin(), test.metric.target.data<int32_t>().end(), 0);
  test.metric.target.data<int32_t>()[5] = 1;
  test.metric.update();
  CHECK(test.metric.finish()[0] == 0.75);  // 1 of 1, then 2 of 3
}

TEST_CASE("positions past a sample's two extents are no answers") {
  TestHost host;
  const Entry entry = linked("plait.accuracy");
  MetricTest metric(host, entry, Settings(entry), {"p", DType::f32, {1, 2, 2, 2}, 1, 2},
                    {"label", DType::i32, {1, 2, 2}});
  metric.prediction.fill({1, 0, 0, 1, 0, 1, 0, 1});
  metric.prediction.lengths = {2}, metric.prediction.second_lengths = {1};
  std::ranges::fill(metric.target.data<int32_t>(), 0);
  metric.update();
  CHECK(metric.finish()[0] == 0.5);  // of the two on the left
}

TEST_CASE("nothing seen is 0, and shapes that do not fit are refused") {
  CHECK(Test({2, 3}, {2}).metric.finish()[0] == 0);
  CHECK_THROWS_WITH(Test({2, 3}, {4}),
                    "target is i32[4], wanted one class number per position of prediction f32[2, 3]");
  CHECK_THROWS_WITH(Test({2, 3}, {2}, 4),
                    "top is 4, and prediction is f32[2, 3]: every answer would be right; wanted at most 3");
}

}  // namespace
