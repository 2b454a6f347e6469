#include <doctest/doctest.h>
#include <plait/sdk/testing_metric.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  MetricTest metric;
  Test(std::vector<int64_t> prediction, std::vector<int64_t> target, std::vector<std::string> classes = {})
      : metric(host, linked("plait.confusion_matrix"), Settings(linked("plait.confusion_matrix")),
               {"p", DType::f32, std::move(prediction)}, {"label", DType::i32, std::move(target)},
               std::move(classes)) {}
  // One answer a sample, as the highest score.
  void answers(const std::vector<size_t>& of, const std::vector<int32_t>& labels) {
    const auto classes = static_cast<size_t>(metric.prediction.spec().shape.back());
    std::fill(metric.prediction.f32().begin(), metric.prediction.f32().end(), 0.0f);
    for (size_t n = 0; n < of.size(); ++n) metric.prediction.f32()[n * classes + of[n]] = 1;
    std::copy(labels.begin(), labels.end(), metric.target.data<int32_t>().begin());
    metric.update();
  }
};

using Values = std::vector<double>;

TEST_CASE("by hand: two classes that are mixed up, and one without samples") {
  Test test({5, 3}, {5}, {"cat", "big dog", "eel"});
  CHECK(test.metric.size() == 10);
  CHECK(test.metric.names()[1] == "cat_as_cat");
  CHECK(test.metric.names()[2] == "cat_as_big_dog");
  CHECK((test.metric.higher_is_better(1) && !test.metric.higher_is_better(2)));
  test.answers({0, 0, 1, 2, 1}, {0, 1, 1, 1, 1});
  test.answers({0, 1, 1, 1, 1}, {0, 0, 1, 1, 9});
  CHECK(test.metric.finish() == Values{6. / 9, 2. / 3, 1. / 3, 0, 1. / 6, 4. / 6, 1. / 6, 0, 0, 0});
}

TEST_CASE("what has no answer is in its class's samples; nothing seen is 0") {
  Test test({2, 2}, {2});
  CHECK(test.metric.finish() == Values{0, 0, 0, 0, 0});
  test.metric.prediction.fill({NAN, 1, 1, 0});
  test.metric.target.data<int32_t>()[0] = test.metric.target.data<int32_t>()[1] = 0;
  test.metric.update();
  CHECK(test.metric.finish() == Values{0.5, 0.5, 0, 0, 0});
}

TEST_CASE("more classes than there may be values are refused") {
  CHECK_THROWS_WITH(Test({2, 64}, {2}), "prediction is f32[2, 64], wanted at most 63 classes");
}

}  // namespace
