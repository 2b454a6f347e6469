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
      : metric(host, linked("plait.precision"), Settings(linked("plait.precision")),
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

TEST_CASE("by hand: right / answers, and the mean over classes that are answered") {
  Test test({5, 4}, {5}, {"a", "b", "c", "d"});
  CHECK(test.metric.names() == std::vector<std::string>{"", "a", "b", "c", "d"});
  test.answers({0, 0, 1, 1, 1}, {0, 1, 1, 1, 2});
  CHECK(test.metric.finish() == Values{(1. / 2 + 2. / 3) / 2, 1. / 2, 2. / 3, 0, 0});
  CHECK(test.metric.higher_is_better(0));
}

TEST_CASE("what is no class is a wrong answer, what is no number none; nothing seen is 0") {
  Test test({2, 2}, {2});
  CHECK(test.metric.finish() == Values{0, 0, 0});
  test.answers({1, 1}, {1, 9});
  CHECK(test.metric.finish() == Values{0.5, 0, 0.5});
  test.metric.prediction.fill({NAN, 1, NAN, 0});
  test.metric.update();
  CHECK(test.metric.finish() == Values{0.5, 0, 0.5});
}

}  // namespace
