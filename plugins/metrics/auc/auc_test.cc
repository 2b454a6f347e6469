#include <doctest/doctest.h>
#include <plait/sdk/random.hpp>
#include <plait/sdk/testing_metric.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  Entry entry = linked("plait.auc");
  MetricTest metric;
  Test(std::vector<int64_t> prediction, std::vector<int64_t> target, const std::string& scores = "softmax",
       std::vector<std::string> classes = {}, int variable_axis = -1)
      : metric(host, entry, Settings(entry).set("scores", scores),
               {"p", DType::f32, std::move(prediction), variable_axis},
               {"label", DType::i32, std::move(target)}, std::move(classes)) {}
  void labels(std::initializer_list<int32_t> numbers) {
    std::copy(numbers.begin(), numbers.end(), metric.target.data<int32_t>().begin());
  }
};

using Values = std::vector<double>;

// By the definition: over all pairs.
double by_pairs(const std::vector<double>& scores, const std::vector<int>& labels, int positive) {
  double pairs = 0, right = 0;
  for (size_t i = 0; i < scores.size(); ++i)
    for (size_t j = 0; j < scores.size(); ++j) {
      if (labels[i] != positive || labels[j] == positive) continue;
      pairs += 1;
      right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  return right / pairs;
}

TEST_CASE("by hand: pairs that are right, ties counted half") {
  Test test({5, 1}, {5});
  test.metric.prediction.fill({0.1f, 0.4f, 0.35f, 0.8f, 0.35f});
  test.labels({0, 0, 1, 1, 0});
  test.metric.update();
  // 0.35 is above 0.1, beside 0.35 and below 0.4; 0.8 is above the three: (1 + 0.5 + 0 + 3) / 6
  CHECK(test.metric.finish() == Values{4.5 / 6});
  CHECK(test.metric.names() == std::vector<std::string>{""});
  CHECK(test.metric.higher_is_better(0));
}

TEST_CASE("agrees with the count of all pairs, with many ties, over several batches") {
  for (const int levels : {3, 10, 1000}) {
    CAPTURE(levels);
    Test test({60, 2}, {60});
    Random random(static_cast<uint64_t>(levels), 0);
    std::vector<double> scores;
    std::vector<int> labels;
    for (int batch = 0; batch < 4; ++batch) {
      for (size_t n = 0; n < 60; ++n) {
        const auto level = static_cast<float>(random.integer(0, levels));
        test.metric.prediction.f32()[2 * n] = 7;  // the difference decides
        test.metric.prediction.f32()[2 * n + 1] = 7 + level;
        const auto label = static_cast<int32_t>(random.integer(0, 1));
        test.metric.target.data<int32_t>()[n] = label;
        scores.push_back(level), labels.push_back(label);
      }
      test.metric.update();
    }
    CHECK(test.metric.rows.size() == 240 * 2);
    CHECK(test.metric.finish()[0] == doctest::Approx(by_pairs(scores, labels, 1)).epsilon(1e-12));
  }
}

TEST_CASE("more than two classes: each against the rest in the order of its softmax, and the mean") {
  constexpr size_t kClasses = 4, kSamples = 90;
  Test test({kSamples, kClasses}, {kSamples}, "softmax", {"a", "b", "c", "d"});
  CHECK(test.metric.names() == std::vector<std::string>{"", "a", "b", "c", "d"});
  Random random(5, 0);
  std::vector<std::vector<double>> scores(kClasses);
  std::vector<int> labels;
  for (size_t n = 0; n < kSamples; ++n) {
    double sum = 0;
    const auto x = test.metric.prediction.f32().subspan(n * kClasses, kClasses);
    for (float& one : x) sum += std::exp(one = static_cast<float>(random.uniform(-2, 2)));
    for (size_t c = 0; c < kClasses; ++c) scores[c].push_back(std::exp(x[c]) / sum);
    labels.push_back(static_cast<int>(random.integer(0, 2)));  // the last one does not occur
    test.metric.target.data<int32_t>()[n] = labels.back();
  }
  test.metric.update();
  const Values values = test.metric.finish();
  double mean = 0;
  for (int c = 0; c < 3; ++c) {
    const double wanted = by_pairs(scores[static_cast<size_t>(c)], labels, c);
    CHECK(values[static_cast<size_t>(1 + c)] == doctest::Approx(wanted).epsilon(1e-12));
    mean += wanted / 3;
  }
  CHECK(values[4] == 0.5);
  CHECK(values[0] == doctest::Approx(mean).epsilon(1e-12));
}

TEST_CASE("scores as they are given are told apart from their softmax") {
  for (const std::string scores : {"softmax", "given"}) {
    Test test({2, 3}, {2}, scores);
    test.metric.prediction.fill({1, 9, 0, 2, 2, 2});  // class 0: 2 > 1, but 1/3 > e / (e + e^9 + 1)
    test.labels({0, 1});
    test.metric.update();
    CHECK(test.metric.finish()[1] == 0);
    Test other({2, 3}, {2}, scores);
    other.metric.prediction.fill({1, 0, 0, 2, 9, 2});  // class 0: 1 < 2, though nearly certain
    other.labels({0, 1});
    other.metric.update();
    CHECK(other.metric.finish()[1] == (scores == "softmax" ? 1 : 0));
  }
}

TEST_CASE("what is no number, no class, or past a sample's length") {
  Test test({4, 1}, {4});
  test.metric.prediction.fill({NAN, 0, 1, 5});
  test.labels({1, 0, 1, 2});  // 2 is left out; the first is lower than any
  test.metric.update();
  CHECK(test.metric.rows.size() == 6);
  CHECK(test.metric.finish() == Values{0.5});
  Test long_one({2, 2, 1}, {2, 2}, "softmax", {}, 1);
  long_one.metric.prediction.fill({1, 5, 2, 3});
  long_one.metric.prediction.lengths = {1, 2};
  long_one.labels({0, 0, 1, 1});
  long_one.metric.update();
  CHECK(long_one.metric.finish() == Values{1});
}

TEST_CASE("without pairs it is a guess, and shapes that do not fit are refused") {
  Test test({2, 2}, {2});
  CHECK(test.metric.finish() == Values{0.5});
  test.metric.prediction.fill({1, 2, 3, 4});
  test.labels({1, 1});
  test.metric.update();
  CHECK(test.metric.finish() == Values{0.5});
  CHECK_THROWS_WITH(Test({2, 3}, {4}),
                    "target is i32[4], wanted one class number per position of prediction f32[2, 3]");
}

struct PrecisionRecall {
  TestHost host;
  MetricTest metric;
  PrecisionRecall(std::vector<int64_t> prediction, std::vector<int64_t> target,
                  std::vector<std::string> classes = {})
      : metric(host, linked("plait.auc"), Settings(linked("plait.auc")).set("curve", "precision_recall"),
               {"p", DType::f32, std::move(prediction)}, {"label", DType::i32, std::move(target)},
               std::move(classes)) {}
  void take(std::initializer_list<float> scores, std::initializer_list<int32_t> labels) {
    metric.prediction.fill(scores);
    std::copy(labels.begin(), labels.end(), metric.target.data<int32_t>().begin());
    metric.update();
  }
};

TEST_CASE("precision over recall, by hand: as scikit-learn's average_precision_score") {
  PrecisionRecall test({4, 1}, {4});
  CHECK(test.metric.names() == std::vector<std::string>{"precision_recall"});
  test.take({0.1f, 0.4f, 0.35f, 0.8f}, {0, 0, 1, 1});
  CHECK(test.metric.finish()[0] == doctest::Approx(0.5 * 1 + 0.5 * 2 / 3).epsilon(1e-15));  // 0.8333...
  test.take({0.8f, 0.1f, 0.35f, 0.9f}, {0, 1, 1, 0});
  // 0.9: 0 of 1; 0.8: 1 of 3; 0.4: 1 of 4; 0.35: 3 of 6; 0.1: 4 of 8
  CHECK(test.metric.finish()[0] == doctest::Approx((1. / 3 + 2 * 3. / 6 + 4. / 8) / 4).epsilon(1e-15));
}

TEST_CASE("precision over recall of several classes, one of which does not occur; nothing seen is 0") {
  PrecisionRecall test({3, 3}, {3}, {"a", "b", "c"});
  CHECK(test.metric.names() == std::vector<std::string>{"precision_recall", "precision_recall.a",
                                                        "precision_recall.b", "precision_recall.c"});
  CHECK(test.metric.finish() == Values{0, 0, 0, 0});
  test.take({5, 0, 0, 0, 5, 0, 0, 6, 0}, {0, 1, 0});
  const Values values = test.metric.finish();
  CHECK(values[1] == doctest::Approx((1 + 2. / 3) / 2).epsilon(1e-15));  // the b lies between both
  CHECK(values[2] == 0.5);
  CHECK(values[3] == 0);
  CHECK(values[0] == doctest::Approx((values[1] + values[2]) / 2).epsilon(1e-15));
}

}  // namespace
