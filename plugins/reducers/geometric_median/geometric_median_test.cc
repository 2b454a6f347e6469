#include <doctest/doctest.h>
#include <plait/sdk/random.hpp>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_reducer.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Values = std::vector<float>;

struct Test {
  TestHost host;
  Entry entry = linked("plait.geometric_median");
  WholeTest whole;
  Test(int iterations, std::vector<ReducedStretch> stretches, int lanes = 1)
      : whole(host, entry, Settings(entry).set("iterations", iterations), std::move(stretches)) {
    host.lanes = lanes;
  }
};

double sum_of_distances(const std::vector<Values>& points, const Values& v) {
  double sum = 0;
  for (const Values& point : points) {
    double squares = 0;
    for (size_t i = 0; i < v.size(); ++i) squares += std::pow(double{point[i]} - v[i], 2);
    sum += std::sqrt(squares);
  }
  return sum;
}

TEST_CASE("by hand: where the diagonals of four points meet, and the middle of three on a line") {
  const Values four = Test(2000, {{"w", 2}}).whole.combine({{0, 0}, {4, 0}, {5, 5}, {0, 3}});
  CHECK(four[0] == doctest::Approx(12. / 7).epsilon(1e-5));
  CHECK(four[1] == doctest::Approx(12. / 7).epsilon(1e-5));
  CHECK(Test(2000, {{"w", 1}}).whole.combine({{1}, {2}, {100}})[0] == doctest::Approx(2).epsilon(1e-4));
  // One step from 0: weights 1 / 3 and 1 / 5.
  CHECK(Test(1, {{"w", 1}}).whole.combine({{3}, {-5}})[0] == doctest::Approx(0));
  CHECK(Test(1, {{"w", 2}}).whole.combine({{3, 4}, {0, 10}})[1] ==
        doctest::Approx((4. / 5 + 1) / (0.2 + 0.1)));
}

TEST_CASE("no point near it has a smaller sum of distances") {
  Random random(4, 0);
  std::vector<Values> points(7, Values(3));
  for (Values& point : points)
    for (float& value : point) value = static_cast<float>(random.uniform(-1, 1));
  const Values found = Test(500, {{"w", 3}}).whole.combine(points);
  const double least = sum_of_distances(points, found);
  for (int turn = 0; turn < 200; ++turn) {
    Values other = found;
    for (float& value : other) value += static_cast<float>(random.uniform(-0.01, 0.01));
    CHECK(sum_of_distances(points, other) > least - 1e-6);
  }
}

TEST_CASE("garbage does not move it far, whatever its size; buffers and slots go with the weights") {
  const std::vector<ReducedStretch> all = {
      {"w", 1}, {"mean", 1, PLAIT_REDUCED_BUFFER}, {"w.m", 1, PLAIT_REDUCED_SLOT}};
  const Values got =
      Test(20, all).whole.combine({{1, 10, 5}, {1.01f, 10, 5}, {0.99f, 10, 5}, {1e30f, 1e6f, 9}});
  CHECK(got[0] == doctest::Approx(1).epsilon(0.05));
  CHECK(got[1] == doctest::Approx(10).epsilon(1e-6));
  CHECK(got[2] == doctest::Approx(5).epsilon(1e-6));
  CHECK(Test(20, {{"w", 1}}).whole.combine({{1}, {}, {1}}) == Values{1});
}

TEST_CASE("lanes do not change a bit") {
  Random random(8, 0);
  std::vector<Values> points(4, Values(20'000));
  for (Values& point : points)
    for (float& value : point) value = static_cast<float>(random.uniform(-1, 1));
  const std::vector<ReducedStretch> two = {{"a", 13'000}, {"b", 7'000}};
  CHECK(Test(5, two, 3).whole.combine(points) == Test(5, two).whole.combine(points));
}

TEST_CASE("half of the shards without a result are too many") {
  CHECK_THROWS_WITH(Test(5, {{"w", 1}}).whole.combine({{1}, {}, {}, {2}}),
                    "2 of 4 shards, shard 2 among them, have no result: the others are no majority");
}

}  // namespace
