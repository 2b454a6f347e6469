#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>
#include <set>
#include <vector>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  Entry entry = linked("plait.mixup");
  AugmenterTest mixup;
  explicit Test(double alpha = 1, DType label = DType::i32)
      : mixup(host, entry, Settings(entry).set("classes", 3).set("alpha", alpha),
              {{"image", DType::u8, {2}}, {"label", label, {}}}) {}
};

TEST_CASE("a label becomes shares of classes") {
  Test test;
  test.mixup.sample.inputs[0].data<uint8_t>()[0] = 7;
  test.mixup.sample.inputs[0].data<uint8_t>()[1] = 255;
  test.mixup.sample.inputs[1].data<int32_t>()[0] = 2;
  test.mixup.apply();
  CHECK(test.mixup.sample.outputs[0].data<uint8_t>()[1] == 255);
  const auto shares = test.mixup.sample.outputs[1].f32();
  CHECK((shares[0] == 0 && shares[1] == 0 && shares[2] == 1));
  test.mixup.sample.inputs[1].data<int32_t>()[0] = 3;
  CHECK_THROWS_WITH(test.mixup.apply(), "part \"label\" is class 3, wanted 0 .. 2");
}

// Every sample is a number of its own, and its label says which it is.
void fill(TestSample& batch) {
  const size_t samples = static_cast<size_t>(batch.inputs[0].spec().shape[0]);
  for (size_t n = 0; n < samples; ++n) {
    batch.inputs[0].f32()[2 * n] = static_cast<float>(n);
    batch.inputs[0].f32()[2 * n + 1] = static_cast<float>(100 * n);
    for (size_t k = 0; k < 3; ++k) batch.inputs[1].f32()[3 * n + k] = k == n % 3 ? 1.0f : 0.0f;
  }
}

TEST_CASE("samples and labels are mixed with the same partner by the same share") {
  Test test;
  test.mixup.make_batch(9);
  fill(test.mixup.batch);
  test.mixup.apply_batch();
  const auto x = test.mixup.batch.outputs[0].f32(), shares = test.mixup.batch.outputs[1].f32();
  std::set<long> partners;
  double share = -1;
  for (size_t n = 0; n < 9; ++n) {
    // x = share n + (1 - share) m; of a label whose class differs the share is alone.
    CHECK(x[2 * n + 1] == doctest::Approx(100 * x[2 * n]).epsilon(1e-5));
    CHECK(shares[3 * n] + shares[3 * n + 1] + shares[3 * n + 2] == doctest::Approx(1).epsilon(1e-6));
    if (shares[3 * n + n % 3] < 1 - 1e-6) {
      if (share < 0) share = shares[3 * n + n % 3];
      CHECK(shares[3 * n + n % 3] == doctest::Approx(share).epsilon(1e-6));
    }
  }
  REQUIRE(share > 0);
  for (size_t n = 0; n < 9; ++n)
    partners.insert(std::lround((x[2 * n] - share * static_cast<double>(n)) / (1 - share)));
  CHECK(partners.size() == 9);  // an order of the batch
}

TEST_CASE("outside training nothing is mixed") {
  Test test;
  test.mixup.make_batch(5);
  fill(test.mixup.batch);
  test.mixup.batch.training = false;
  test.mixup.apply_batch();
  for (size_t part = 0; part < 2; ++part)
    for (size_t i = 0; i < test.mixup.batch.inputs[part].f32().size(); ++i)
      CHECK(test.mixup.batch.outputs[part].f32()[i] == test.mixup.batch.inputs[part].f32()[i]);
}

// Shares of batches of two whose samples were each other's partners; others tell nothing of the share.
std::vector<double> shares_of(double alpha, size_t count) {
  Test test(alpha);
  test.mixup.make_batch(2);
  fill(test.mixup.batch);
  std::vector<double> shares;
  for (uint64_t key = 0; shares.size() < count; ++key) {
    test.mixup.batch.rng = {key, 3};
    test.mixup.apply_batch();
    const double share = test.mixup.batch.outputs[1].f32()[0];
    REQUIRE((share >= 0 && share <= 1));
    if (share < 1) shares.push_back(share);
  }
  return shares;
}

// Mean 1/2 and variance 1 / (4 (2 alpha + 1)), within 5 deviations of what 4000 draws have. A share that f32
// rounds to 1 is as likely as 3e-8 of these two distributions.
TEST_CASE("shares are drawn from the beta distribution") {
  for (const double alpha : {1.0, 7.0}) {
    CAPTURE(alpha);
    double sum = 0, squares = 0;
    for (const double share : shares_of(alpha, 4000)) sum += share, squares += share * share;
    const double mean = sum / 4000, variance = squares / 4000 - mean * mean;
    const double wanted = 1 / (4 * (2 * alpha + 1));
    CHECK(std::abs(mean - 0.5) < 5 * std::sqrt(wanted / 4000));
    CHECK(std::abs(variance - wanted) < 5 * 0.25 / std::sqrt(4000));  // of numbers within [0, 1]
  }
}

TEST_CASE("a small alpha gives shares near 0 and 1, and no number that is none") {
  int middle = 0;
  for (const double share : shares_of(0.001, 200)) middle += share > 0.01 && share < 0.99 ? 1 : 0;
  CHECK(middle < 20);  // 1 % of them, of the distribution
}

TEST_CASE("parts that cannot be mixed are refused") {
  TestHost host;
  const Entry entry = linked("plait.mixup");
  const auto make = [&](std::vector<PartSpec> parts) {
    AugmenterTest(host, entry, Settings(entry).set("classes", 3), std::move(parts));
  };
  CHECK_THROWS_WITH(make({{"image", DType::i32, {2}}, {"label", DType::i32, {}}}),
                    "part \"image\" is i32[2], wanted u8 or floating point of a fixed shape");
  CHECK_THROWS_WITH(make({{"image", DType::u8, {2}}, {"label", DType::f32, {}}}),
                    "part \"label\" is f32[], wanted one class number, u8, i32 or i64, or shares f32[3]");
  CHECK_THROWS_WITH(make({{"image", DType::u8, {2}}, {"label", DType::i32, {4}}}),
                    "part \"label\" is i32[4], wanted one class number, u8, i32 or i64, or shares f32[3]");
}

}  // namespace
