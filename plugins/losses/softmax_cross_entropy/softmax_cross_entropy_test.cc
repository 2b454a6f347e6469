#include <doctest/doctest.h>
#include <plait/sdk/testing_loss.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>
#include <cstring>

#include "kernels.h"
#include "rows.h"

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

TEST_CASE("positions past a sample's two extents count for nothing") {
  TestHost host;
  const Entry entry = linked("plait.softmax_cross_entropy");
  LossTest loss(host, entry, Settings(entry), {"p", DType::f32, {2, 2, 3, 2}, 1, 2},
                {"label", DType::i32, {2, 2, 3}});
  Test valid({4, 2}, {4});  // two positions of sample 0, one above the other; two of sample 1, side by side
  loss.prediction.randomize(9);
  loss.prediction.lengths = {2, 1}, loss.prediction.second_lengths = {1, 2};
  const std::vector<size_t> kept = {0, 3, 6, 7};
  const auto labels = loss.target.data<int32_t>();
  std::fill(labels.begin(), labels.end(), 77);
  for (size_t i = 0; i < kept.size(); ++i) {
    labels[kept[i]] = valid.loss.target.data<int32_t>()[i] = static_cast<int32_t>(i % 2);
    std::copy_n(loss.prediction.f32().data() + 2 * kept[i], 2, valid.loss.prediction.f32().data() + 2 * i);
  }
  CHECK(loss.compute() == doctest::Approx(valid.loss.compute()).epsilon(1e-12));
  CHECK(loss.result[1] == 4);
  CHECK(loss.bad_target == -1);
  for (size_t i = 0; i < 12; ++i) {
    const auto at = std::ranges::find(kept, i);
    for (size_t k = 0; k < 2; ++k)
      CHECK(
          loss.gradient.f32()[2 * i + k] ==
          (at == kept.end() ? 0 : valid.loss.gradient.f32()[2 * static_cast<size_t>(at - kept.begin()) + k]));
  }
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

// As a block of threads does it.
void by_threads(const plait::softmax_cross_entropy::rows::Work& w) {
  namespace rows = plait::softmax_cross_entropy::rows;
  for (uint64_t row = 0; row < w.rows; ++row) {
    float largest = rows::largest_of(w, row, 0);
    for (unsigned t = 1; t < rows::kThreads; ++t)
      largest = rows::larger(largest, rows::largest_of(w, row, t));
    double sum = 0;
    for (unsigned t = 0; t < rows::kThreads; ++t) sum += rows::sum_of(w, row, t, largest);
    for (unsigned t = 0; t < rows::kThreads; ++t) rows::finish(w, row, t, largest, sum);
  }
}

// The bounds are those of the definition's test above.
TEST_CASE("the arithmetic of kernels is the host's") {
  namespace rows = plait::softmax_cross_entropy::rows;
  for (const int64_t classes : {1, 2, 10, 33, 1000}) {
    CAPTURE(classes);
    Test test({7, classes}, {7});
    test.loss.prediction.randomize(3, -20, 20);
    const auto labels = test.loss.target.data<int32_t>();
    for (int64_t n = 0; n < 7; ++n) labels[static_cast<size_t>(n)] = static_cast<int32_t>(n * 5 % classes);
    const double mean = test.loss.compute();
    const auto size = static_cast<size_t>(7 * classes);
    std::vector<float> gradient(size);
    std::vector<double> losses(7);
    by_threads({test.loss.prediction.f32().data(), labels.data(), DType::i32, gradient.data(), losses.data(),
                7, static_cast<uint64_t>(classes), 1.0f / 7});
    double sum = 0;
    for (const double loss : losses) sum += loss;
    CHECK(sum / 7 == doctest::Approx(mean).epsilon(5e-7));
    for (size_t i = 0; i < size; ++i) CHECK(std::abs(gradient[i] - test.loss.gradient.f32()[i]) < 5e-7f / 7);
  }
}

TEST_CASE("kernels tell labels that are no class, and NaN reaches the loss") {
  namespace rows = plait::softmax_cross_entropy::rows;
  const float x[] = {0, 1, 2, 0, 1, NAN, 0, 1, 2, 0, 1, 2};
  const float labels[] = {3, 1, 0.5f, -1};
  float gradient[12];
  double losses[4];
  by_threads({x, labels, DType::f32, gradient, losses, 4, 3, 1.0f});
  CHECK(losses[0] == rows::kBadLabel);
  CHECK(std::isnan(losses[1]));
  CHECK(losses[2] == rows::kBadLabel);
  CHECK(losses[3] == rows::kBadLabel);
  for (const size_t i : {0, 1, 2, 6, 9}) CHECK(gradient[i] == 0);
}

// In double, straight from the definition, for shares t of the classes.
double by_shares(std::span<const float> x, std::span<const float> t, std::vector<double>& gradient) {
  double sum = 0, largest = x[0], loss = 0;
  for (const float value : x) largest = std::max<double>(largest, value);
  for (const float value : x) sum += std::exp(value - largest);
  for (size_t i = 0; i < x.size(); ++i) {
    loss += t[i] * (largest + std::log(sum) - x[i]);
    gradient.push_back(std::exp(x[i] - largest) / sum - t[i]);
  }
  return loss;
}

TEST_CASE("shares of classes give loss and gradient of the definition") {
  Test test({5, 3}, {5, 3}, DType::f32);
  test.loss.prediction.randomize(5, -8, 8);
  const float shares[3] = {0.5f, 0.375f, 0.125f};
  for (size_t i = 0; i < 15; ++i) test.loss.target.f32()[i] = shares[(i + i / 3) % 3];
  const double mean = test.loss.compute();
  double expected = 0, worst = 0;
  for (size_t n = 0; n < 5; ++n) {
    std::vector<double> gradient;
    expected += by_shares(test.loss.prediction.view().sample<float>(n),
                          test.loss.target.view().sample<float>(n), gradient);
    for (size_t i = 0; i < 3; ++i)
      worst = std::max(worst, std::abs(test.loss.gradient.f32()[3 * n + i] - gradient[i] / 5));
  }
  CHECK(mean == doctest::Approx(expected / 5).epsilon(5e-7));  // as for labels
  CHECK(worst < 1.0 / 5 * 5e-7);
  CHECK(test.loss.bad_target == -1);
}

TEST_CASE("shares of 0 and 1 are as labels") {
  Test shares({4, 6}, {4, 6}, DType::f32), labels({4, 6}, {4});
  shares.loss.prediction.randomize(8, -3, 3);
  labels.loss.prediction.randomize(8, -3, 3);
  for (size_t n = 0; n < 4; ++n) {
    labels.loss.target.data<int32_t>()[n] = static_cast<int32_t>(n + 1);
    for (size_t i = 0; i < 6; ++i) shares.loss.target.f32()[6 * n + i] = i == n + 1 ? 1.0f : 0.0f;
  }
  CHECK(shares.loss.compute() == doctest::Approx(labels.loss.compute()).epsilon(1e-12));
  for (size_t i = 0; i < 24; ++i)
    CHECK(shares.loss.gradient.f32()[i] == doctest::Approx(labels.loss.gradient.f32()[i]).epsilon(1e-6));
}

TEST_CASE("shares that are none are told by their sample") {
  for (const float bad : {-0.25f, 0.5f, NAN, INFINITY}) {
    CAPTURE(bad);
    Test test({2, 2}, {2, 2}, DType::f32);
    test.loss.prediction.fill({1, 2, 3, 4});
    test.loss.target.fill({0.5f, 0.5f, bad, 1});
    test.loss.compute();
    CHECK(test.loss.bad_target == 1);
    CHECK((test.loss.gradient.f32()[2] == 0 && test.loss.gradient.f32()[3] == 0));
  }
}

TEST_CASE("weights of samples: a weight counts as often as its sample, none not at all") {
  for (const bool shares : {false, true}) {
    CAPTURE(shares);
    TestHost host;
    const Entry entry = linked("plait.softmax_cross_entropy");
    const std::vector<PartSpec> p = {{"p", DType::f32, {3, 2}}}, more = {{"p", DType::f32, {4, 2}}};
    const auto target = [&](int64_t n) {
      return std::vector<PartSpec>{shares ? PartSpec("t", DType::f32, {n, 2})
                                          : PartSpec("t", DType::i32, {n})};
    };
    LossTest weighted(host, entry, Settings(entry), p, target(3), true);
    LossTest repeated(host, entry, Settings(entry), more, target(4));  // 3 times the first, once the third
    weighted.prediction.fill({0.5f, -1, NAN, 3, 2, 1});
    repeated.prediction.fill({0.5f, -1, 0.5f, -1, 0.5f, -1, 2, 1});
    weighted.weights->fill({3, 0, 1});
    if (shares) {
      weighted.target.fill({0.25f, 0.75f, 7, NAN, 1, 0});
      repeated.target.fill({0.25f, 0.75f, 0.25f, 0.75f, 0.25f, 0.75f, 1, 0});
    } else {
      const int32_t once[3] = {1, 99, 0}, often[4] = {1, 1, 1, 0};
      std::copy(once, once + 3, weighted.target.data<int32_t>().begin());
      std::copy(often, often + 4, repeated.target.data<int32_t>().begin());
    }
    CHECK(weighted.compute() == doctest::Approx(repeated.compute()).epsilon(1e-12));
    CHECK(weighted.result[1] == 4);
    CHECK(weighted.bad_target == -1);
    const auto dx = weighted.gradient.f32(), by_one = repeated.gradient.f32();
    CHECK(dx[0] == doctest::Approx(3 * by_one[0]).epsilon(1e-6));
    CHECK((dx[2] == 0 && dx[3] == 0));
    CHECK(dx[4] == doctest::Approx(by_one[6]).epsilon(1e-6));
  }
}

// PyTorch 2.15, CrossEntropyLoss(label_smoothing=0.1), in f64.
TEST_CASE("smoothed labels") {
  TestHost host;
  const Entry entry = linked("plait.softmax_cross_entropy");
  LossTest loss(host, entry, Settings(entry).set("label_smoothing", 0.1), {"p", DType::f32, {4, 3}},
                {"t", DType::i64, {4}});
  loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f, 1.0f, 0.0f, -1.0f, 0.75f, 0.5f, -2.0f});
  const int64_t labels[] = {0, 2, 1, 0};
  std::copy(std::begin(labels), std::end(labels), loss.target.data<int64_t>().begin());
  CHECK(loss.compute() == doctest::Approx(0.718969420617).epsilon(5e-7));  // exponentials are of f32
  const double gradient[] = {-0.0256871923, -0.00206296319, 0.0277501554, -0.00812283366,
                             0.0106152435,  -0.00249240989, 0.157976906,  -0.172151216,
                             0.01417431,    -0.0976649587,  0.097325303,  0.000339655688};
  for (size_t i = 0; i < 12; ++i) CHECK(std::abs(loss.gradient.f32()[i] - gradient[i]) < 5e-7);
  CHECK(loss.bad_target == -1);
}

// PyTorch 2.15, CrossEntropyLoss(weight=[0.5, 2, 1], ignore_index=-100), in f64.
TEST_CASE("class weights, and a class that is ignored") {
  TestHost host;
  const Entry entry = linked("plait.softmax_cross_entropy");
  LossTest loss(host, entry,
                Settings(entry)
                    .add("class_weights", 0.5)
                    .add("class_weights", 2.0)
                    .add("class_weights", 1.0)
                    .set("ignore", -100),
                {"p", DType::f32, {4, 3}}, {"t", DType::i64, {4}});
  loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f, 1.0f, 0.0f, -1.0f, 0.75f, 0.5f, -2.0f});
  const int64_t labels[] = {0, -100, 1, 2};
  std::copy(std::begin(labels), std::end(labels), loss.target.data<int64_t>().begin());
  CHECK(loss.compute() == doctest::Approx(1.79122060763).epsilon(5e-7));  // exponentials are of f32
  const double gradient[] = {
      -0.0242022051, 0.00358306865, 0.0206191364, 0,           0,           0,
      0.380137689,   -0.431583731,  0.0514460418, 0.155049571, 0.120752727, -0.275802298};
  for (size_t i = 0; i < 12; ++i) CHECK(std::abs(loss.gradient.f32()[i] - gradient[i]) < 5e-7);
  CHECK(loss.bad_target == -1);
}

// PyTorch 2.15, CrossEntropyLoss(weight=[0.5, 2, 1], ignore_index=1, label_smoothing=0.25), in f64.
TEST_CASE("smoothed labels with class weights, one of them ignored") {
  TestHost host;
  const Entry entry = linked("plait.softmax_cross_entropy");
  LossTest loss(host, entry,
                Settings(entry)
                    .set("label_smoothing", 0.25)
                    .add("class_weights", 0.5)
                    .add("class_weights", 2.0)
                    .add("class_weights", 1.0)
                    .set("ignore", 1),
                {"p", DType::f32, {4, 3}}, {"t", DType::i64, {4}});
  loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f, 1.0f, 0.0f, -1.0f, 0.75f, 0.5f, -2.0f});
  const int64_t labels[] = {0, 2, 1, 1};
  std::copy(std::begin(labels), std::end(labels), loss.target.data<int64_t>().begin());
  CHECK(loss.compute() == doctest::Approx(1.09620307498).epsilon(5e-7));  // exponentials are of f32
  const double gradient[] = {0.0913709175,
                             -0.0999637864,
                             0.00859286894,
                             -0.0271930565,
                             -0.0584761753,
                             0.0856692318,
                             0,
                             0,
                             0,
                             0,
                             0,
                             0};
  for (size_t i = 0; i < 12; ++i) CHECK(std::abs(loss.gradient.f32()[i] - gradient[i]) < 5e-7);
  CHECK(loss.bad_target == -1);
}

// PyTorch 2.15, CrossEntropyLoss(weight=[0.5, 2, 1], label_smoothing=0.25) with shares, in f64.
TEST_CASE("smoothed shares with class weights") {
  TestHost host;
  const Entry entry = linked("plait.softmax_cross_entropy");
  LossTest loss(host, entry,
                Settings(entry)
                    .set("label_smoothing", 0.25)
                    .add("class_weights", 0.5)
                    .add("class_weights", 2.0)
                    .add("class_weights", 1.0),
                {"p", DType::f32, {4, 3}}, {"t", DType::f32, {4, 3}});
  loss.prediction.fill({2.0f, -1.5f, 0.25f, -4.0f, 0.5f, 3.0f, 1.0f, 0.0f, -1.0f, 0.75f, 0.5f, -2.0f});
  loss.target.fill({1.0f, 0.0f, 0.0f, 0.5f, 0.25f, 0.25f, 0.0f, 0.5f, 0.5f, 0.25f, 0.25f, 0.5f});
  CHECK(loss.compute() == doctest::Approx(2.09873339595).epsilon(5e-7));  // exponentials are of f32
  const double gradient[] = {0.0342640941,  -0.0374864199, 0.00322232585, -0.0570723962,
                             -0.115678566,  0.172750962,   0.225189505,   -0.142492,
                             -0.0826975053, 0.120185967,   -0.0154500899, -0.104735877};
  for (size_t i = 0; i < 12; ++i) CHECK(std::abs(loss.gradient.f32()[i] - gradient[i]) < 5e-7);
  CHECK(loss.bad_target == -1);
}

TEST_CASE("weights of samples beside class weights: a weight counts as often as its sample") {
  TestHost host;
  const Entry entry = linked("plait.softmax_cross_entropy");
  const auto settings = [&] {
    return Settings(entry).set("label_smoothing", 0.1).add("class_weights", 0.5).add("class_weights", 2.0);
  };
  const auto part = [](int64_t n) { return std::vector<PartSpec>{{"p", DType::f32, {n, 2}}}; };
  const auto target = [](int64_t n) { return std::vector<PartSpec>{{"t", DType::i32, {n}}}; };
  LossTest weighted(host, entry, settings(), part(2), target(2), true),
      repeated(host, entry, settings(), part(4), target(4));
  weighted.prediction.fill({0.5f, -1, 2, 1});
  repeated.prediction.fill({0.5f, -1, 0.5f, -1, 0.5f, -1, 2, 1});
  const int32_t once[] = {1, 0}, often[] = {1, 1, 1, 0};
  std::copy(std::begin(once), std::end(once), weighted.target.data<int32_t>().begin());
  std::copy(std::begin(often), std::end(often), repeated.target.data<int32_t>().begin());
  weighted.weights->fill({3, 1});
  CHECK(weighted.compute() == doctest::Approx(repeated.compute()).epsilon(1e-12));
  CHECK(weighted.result[1] == 6.5);
  CHECK(weighted.gradient.f32()[0] == doctest::Approx(3 * repeated.gradient.f32()[0]).epsilon(1e-6));
}

TEST_CASE("class weights are one for each class; a number that is ignored need be no class") {
  TestHost host;
  const Entry entry = linked("plait.softmax_cross_entropy");
  const auto make = [&](Settings settings) {
    LossTest loss(host, entry, std::move(settings), {"p", DType::f32, {2, 3}}, {"t", DType::u8, {2}});
    loss.prediction.fill({1, 2, 3, 3, 2, 1});
    loss.target.data<uint8_t>()[0] = 255, loss.target.data<uint8_t>()[1] = 0;
    loss.compute();
    return std::pair(loss.bad_target, loss.result[1]);
  };
  CHECK_THROWS_WITH(make(Settings(entry).add("class_weights", 1.0)),
                    "class_weights has 1 numbers, wanted one for each class of prediction f32[2, 3]");
  CHECK_THROWS_WITH(LossTest(host, entry, Settings(entry).set("ignore", 0), {"p", DType::f32, {2, 1}},
                             {"t", DType::u8, {2}}),
                    "ignore is 0, the only class of prediction f32[2, 1]");
  CHECK(make(Settings(entry)).first == 0);
  CHECK(make(Settings(entry).set("ignore", 255)) == std::pair(-1, 1.0));
}

TEST_CASE("shapes that do not fit are refused with both of them") {
  CHECK_THROWS_WITH(Test({2, 3}, {3}), "target is i32[3], wanted one class number per position: [2]");
  CHECK_THROWS_WITH(Test({2, 5, 3}, {2}), "target is i32[2], wanted one class number per position: [2, 5]");
  CHECK_THROWS_WITH(Test({6}, {6}), "prediction is f32[6], wanted f32[N, ..., classes]");
  CHECK_THROWS_WITH(Test({2, 3}, {2}, DType::f64),
                    "target is f64[2], wanted class numbers as i32, i64, u8 or f32");
}

}  // namespace
