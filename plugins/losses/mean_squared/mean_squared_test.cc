#include <doctest/doctest.h>
#include <plait/sdk/testing_loss.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  Entry entry = linked("plait.mean_squared");
  LossTest loss;
  Test(std::vector<int64_t> prediction, std::vector<int64_t> target, DType type = DType::f32,
       int variable_axis = -1)
      : loss(host, entry, Settings(entry), {"p", DType::f32, std::move(prediction), variable_axis},
             {"t", type, std::move(target)}) {}
};

TEST_CASE("by hand: three differences of 1, -2 and 0.5") {
  Test test({3, 1}, {3});
  test.loss.prediction.fill({2, 1, 0.5f});
  test.loss.target.fill({1, 3, 0});
  test.loss.gradient_scale = 3;
  CHECK(test.loss.compute() == (1 + 4 + 0.25) / 3);
  const float expected[3] = {2, -4, 1};  // 3 * 2 d / 3
  for (size_t i = 0; i < 3; ++i)
    CHECK(test.loss.gradient.f32()[i] == doctest::Approx(expected[i]).epsilon(1e-7));
}

TEST_CASE("many elements, across the pieces of work, give the sum of a plain loop") {
  Test test({4, 9999}, {4, 101, 99});
  test.host.lanes = 3;
  test.loss.prediction.randomize(1);
  test.loss.target.randomize(2);
  double sum = 0;
  for (size_t i = 0; i < 4 * 9999; ++i) {
    const double d =
        test.loss.prediction.f32()[i] - test.loss.target.f32()[i];  // the difference is taken in f32
    sum += d * d;
  }
  // Both sums are in f64: they differ by the order alone, some 40,000 roundings of 1e-16.
  CHECK(test.loss.compute() == doctest::Approx(sum / (4 * 9999)).epsilon(1e-11));
  const double several = test.loss.result[0];
  test.host.lanes = 1;
  test.loss.compute(false);
  CHECK(test.loss.result[0] == several);
}

TEST_CASE("targets of bytes and whole numbers") {
  Test bytes({2, 2}, {2, 2}, DType::u8), numbers({2, 2}, {2, 2}, DType::i32);
  for (size_t i = 0; i < 4; ++i) {
    bytes.loss.prediction.f32()[i] = numbers.loss.prediction.f32()[i] = 0.5f;
    bytes.loss.target.data<uint8_t>()[i] = static_cast<uint8_t>(i);
    numbers.loss.target.data<int32_t>()[i] = static_cast<int32_t>(i);
  }
  CHECK(bytes.loss.compute() == (0.25 + 0.25 + 2.25 + 6.25) / 4);
  CHECK(numbers.loss.compute() == (0.25 + 0.25 + 2.25 + 6.25) / 4);
}

TEST_CASE("elements past a sample's length count for nothing") {
  Test test({2, 3, 2}, {2, 3, 2}, DType::f32, 1);
  test.loss.prediction.lengths = {1, 3};
  test.loss.prediction.fill({1, 2, 50, 50, 50, 50, 1, 1, 1, 1, 1, 1});
  std::fill(test.loss.target.f32().begin(), test.loss.target.f32().end(), 0.0f);
  CHECK(test.loss.compute() == (1 + 4 + 6) / 8.0);
  const auto dx = test.loss.gradient.f32();
  for (size_t i = 2; i < 6; ++i) CHECK(dx[i] == 0);
  CHECK(dx[1] == 0.5f);
}

TEST_CASE("elements past a sample's two extents count for nothing, whichever axes vary") {
  for (const auto& [first, second] : {std::pair{1, 2}, std::pair{1, 3}, std::pair{2, 3}}) {
    TestHost host;
    const Entry entry = linked("plait.mean_squared");
    const std::vector<int64_t> shape = {2, 2, 3, 4};
    LossTest loss(host, entry, Settings(entry), {"p", DType::f32, shape, first, second},
                  {"t", DType::f32, shape});
    loss.prediction.randomize(5);
    loss.target.randomize(6);
    loss.prediction.lengths = {1, 2}, loss.prediction.second_lengths = {2, 1};
    double sum = 0, count = 0;
    const auto p = loss.prediction.f32(), t = loss.target.f32();
    std::vector<bool> valid(p.size());
    for (size_t i = 0; i < p.size(); ++i) {
      const size_t place[] = {i / 24, i / 12 % 2, i / 4 % 3, i % 4}, n = place[0];
      valid[i] = place[first] < (n == 0 ? 1u : 2u) && place[second] < (n == 0 ? 2u : 1u);
      const double d = p[i] - t[i];
      if (valid[i]) sum += d * d, ++count;
    }
    CHECK(loss.compute() == doctest::Approx(sum / count).epsilon(1e-12));
    CHECK(loss.result[1] == count);
    for (size_t i = 0; i < p.size(); ++i)
      CHECK(loss.gradient.f32()[i] ==
            doctest::Approx(valid[i] ? 2 * (p[i] - t[i]) / count : 0).epsilon(1e-6));
  }
}

TEST_CASE("weights of samples: a weight counts as often as its sample") {
  TestHost host;
  const Entry entry = linked("plait.mean_squared");
  const std::vector<PartSpec> prediction = {{"p", DType::f32, {3, 2}}}, target = {{"t", DType::f32, {3, 2}}};
  LossTest weighted(host, entry, Settings(entry), prediction, target, true);
  weighted.prediction.fill({2, 1, 0.5f, NAN, 3, 5});
  weighted.target.fill({1, 3, 0, 0, 1, 1});
  weighted.weights->fill({2, 0, 0.5f});
  CHECK(weighted.compute() == (2 * (1 + 4) + 0.5 * (4 + 16)) / 5);
  CHECK(weighted.result[1] == 5);
  const float expected[6] = {0.8f, -1.6f, 0, 0, 0.4f, 0.8f};  // 2 w d / 5
  for (size_t i = 0; i < 6; ++i)
    CHECK(weighted.gradient.f32()[i] == doctest::Approx(expected[i]).epsilon(1e-6));
  weighted.weights->fill({0, 0, 0});
  weighted.compute();
  CHECK((weighted.result[0] == 0 && weighted.result[1] == 0));
  for (const float dx : weighted.gradient.f32()) CHECK(dx == 0);
}

TEST_CASE("other numbers of elements are refused") {
  CHECK_THROWS_WITH(Test({2, 3}, {2, 4}),
                    "target f32[2, 4] has not as many elements per sample as prediction f32[2, 3]");
  CHECK_THROWS_WITH(Test({2, 3}, {2, 3}, DType::i64), "target is i64[2, 3], wanted f32, u8 or i32");
}

}  // namespace
