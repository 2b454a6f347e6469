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
  Entry entry = linked("plait.f1");
  MetricTest metric;
  Test(std::vector<int64_t> prediction, std::vector<int64_t> target, std::vector<std::string> classes = {})
      : metric(host, entry, Settings(entry), {"p", DType::f32, std::move(prediction)},
               {"label", DType::i32, std::move(target)}, std::move(classes)) {}
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

TEST_CASE("by hand: 2 right / (samples + answers), and the mean over classes that are met") {
  Test test({5, 4}, {5}, {"a", "b", "c", "d"});
  CHECK(test.metric.names() == std::vector<std::string>{"", "a", "b", "c", "d"});
  test.answers({0, 0, 1, 1, 1}, {0, 1, 1, 1, 2});
  // a: 1 right, 1 sample, 2 answers; b: 2 right, 3 samples, 3 answers; c: never answered; d: never met
  CHECK(test.metric.finish() == Values{(2. / 3 + 2. / 3 + 0) / 3, 2. / 3, 2. / 3, 0, 0});
}

TEST_CASE("agrees with the harmonic mean of precision and recall over several batches") {
  constexpr size_t kSamples = 50, kClasses = 3;
  Test test({kSamples, kClasses}, {kSamples});
  Random random(2, 0);
  double right[kClasses] = {}, samples[kClasses] = {}, named[kClasses] = {};
  for (int batch = 0; batch < 3; ++batch) {
    std::vector<size_t> answers;
    std::vector<int32_t> labels;
    for (size_t n = 0; n < kSamples; ++n) {
      answers.push_back(static_cast<size_t>(random.integer(0, 2)));
      labels.push_back(static_cast<int32_t>(random.integer(0, 2)));
      samples[labels[n]] += 1, named[answers[n]] += 1;
      right[answers[n]] += static_cast<size_t>(labels[n]) == answers[n];
    }
    test.answers(answers, labels);
  }
  const Values values = test.metric.finish();
  for (size_t c = 0; c < kClasses; ++c) {
    const double precision = right[c] / named[c], recall = right[c] / samples[c];
    CHECK(values[1 + c] == doctest::Approx(2 / (1 / precision + 1 / recall)).epsilon(1e-12));
  }
}

TEST_CASE("what is no class is a wrong answer, what is no number none; nothing seen is 0") {
  Test test({2, 2}, {2});
  CHECK(test.metric.finish() == Values{0, 0, 0});
  test.answers({1, 1}, {1, 9});
  CHECK(test.metric.finish() == Values{2. / 3, 0, 2. / 3});
  test.metric.prediction.fill({NAN, 1, NAN, 0});
  test.metric.target.data<int32_t>()[0] = 0, test.metric.target.data<int32_t>()[1] = 0;
  test.metric.update();
  CHECK(test.metric.finish() == Values{(0 + 2. / 3) / 2, 0, 2. / 3});
}

}  // namespace
