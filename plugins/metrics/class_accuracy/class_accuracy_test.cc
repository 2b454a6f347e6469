#include <doctest/doctest.h>
#include <plait/sdk/testing_metric.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  Entry entry = linked("plait.class_accuracy");
  MetricTest metric;
  Test(std::vector<int64_t> prediction, std::vector<int64_t> target, std::vector<std::string> classes = {},
       int variable_axis = -1)
      : metric(host, entry, Settings(entry), {"p", DType::f32, std::move(prediction), variable_axis},
               {"label", DType::i32, std::move(target)}, std::move(classes)) {}
  void labels(std::initializer_list<int32_t> numbers) {
    std::copy(numbers.begin(), numbers.end(), metric.target.data<int32_t>().begin());
  }
};

using Values = std::vector<double>;

TEST_CASE("by hand: a class's share of its own samples, and the mean over those that occur") {
  Test test({4, 3}, {4});
  test.metric.prediction.fill({1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0});  // answers 0, 1, 0, 1
  test.labels({0, 1, 1, 1});
  test.metric.update();
  CHECK(test.metric.finish() == Values{(1 + 2. / 3) / 2, 1, 2. / 3, 0});
  test.labels({2, 0, 2, 2});
  test.metric.update();  // 2 is never found, 0 once of two
  CHECK(test.metric.finish() == Values{(0.5 + 2. / 3) / 3, 0.5, 2. / 3, 0});
}

TEST_CASE("values are named by the source's classes, fit for reports") {
  using Names = std::vector<std::string>;
  CHECK(Test({1, 3}, {1}).metric.names() == Names{"", "0", "1", "2"});
  CHECK(Test({1, 3}, {1}, {"cat", "T-shirt/top", "d\xc3\xb6g"}).metric.names() ==
        Names{"", "cat", "T-shirt_top", "d_g"});
  CHECK(Test({1, 3}, {1}, {"a b", "a_b", ""}).metric.names() == Names{"", "0_a_b", "1_a_b", "2_2"});
  CHECK(Test({1, 3}, {1}, {"cat"}).metric.names() == Names{"", "cat", "1", "2"});
  CHECK(Test({1, 2}, {1}, {"cat", "dog", "cow"}).metric.names() == Names{"", "cat", "dog"});
  CHECK(Test({1, 3}, {1}).metric.higher_is_better(2));
}

TEST_CASE("what is no number, no class, or past a sample's length") {
  Test test({3, 2}, {3});
  test.metric.prediction.fill({NAN, 1, 0, 1, 0, 1});
  test.labels({1, 1, 7});
  test.metric.update();
  CHECK(test.metric.finish() == Values{0.5, 0, 0.5});
  Test long_one({2, 3, 2}, {2, 3}, {}, 1);
  long_one.metric.prediction.fill({1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0});
  long_one.metric.prediction.lengths = {1, 3};
  long_one.labels({0, 0, 0, 0, 0, 1});
  long_one.metric.update();
  CHECK(long_one.metric.finish() == Values{0.5, 1, 0});
}

TEST_CASE("nothing seen is 0, and more classes than values are refused") {
  CHECK(Test({2, 3}, {2}).metric.finish() == Values{0, 0, 0, 0});
  CHECK_THROWS_WITH(Test({1, 4096}, {1}), "prediction is f32[1, 4096], wanted at most 4095 classes");
}

}  // namespace
