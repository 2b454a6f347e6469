#include <doctest/doctest.h>
#include <limits>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kConfusion = linked("plait.confusion");

RecordBytes records(const std::vector<std::pair<std::vector<float>, int32_t>>& all) {
  RecordBytes made;
  for (const auto& [scores, label] : all)
    made.push_back({record_of<float>(scores), record_of<int32_t>({label})});
  return made;
}

const std::vector<PartSpec> kParts = {{"f3", DType::f32, {3}}, {"label", DType::i32, {}}};

TEST_CASE("by hand: rows are true classes, columns what they are taken for, the first of equal scores wins") {
  TestHost host;
  AccumulatingTaskTest task(host, kConfusion, Settings(kConfusion), kParts);
  task.map(records({{{1, 2, 0}, 1}, {{1, 2, 0}, 0}, {{3, 3, 3}, 2}}));
  task.map(records({{{-1, -2, -0.5f}, 2}, {{1, 2, 0}, 1}}));
  CHECK(!task.finish());
  CHECK(task.accumulated<int64_t>("count") == std::vector<int64_t>{0, 1, 0, 0, 2, 0, 1, 0, 1});
}

TEST_CASE("figures of each class; a class that is never met or never said has 0") {
  TestHost host;
  AccumulatingTaskTest task(host, kConfusion, Settings(kConfusion).set("figures", true), kParts);
  task.map(records({{{1, 0, 0}, 0}, {{1, 0, 0}, 0}, {{1, 0, 0}, 1}, {{0, 1, 0}, 1}}));
  CHECK(!task.finish());
  const auto precision = task.output<double>("precision"), recall = task.output<double>("recall"),
             f1 = task.output<double>("f1");
  CHECK(precision[0] == doctest::Approx(2.0 / 3));
  CHECK(precision[1] == 1);
  CHECK(precision[2] == 0);
  CHECK(recall[0] == 1);
  CHECK(recall[1] == 0.5);
  CHECK(recall[2] == 0);
  CHECK(f1[0] == doctest::Approx(0.8));
  CHECK(f1[2] == 0);
  CHECK(task.output<double>("accuracy")[0] == 0.75);
  CHECK(task.output<int64_t>("count") == task.accumulated<int64_t>("count"));
}

TEST_CASE("what is no class, and scores that are NaN, are refused with the record") {
  TestHost host;
  AccumulatingTaskTest task(host, kConfusion, Settings(kConfusion), kParts);
  task.map(records({{{1, 2, 0}, 1}}));
  CHECK_THROWS_WITH(task.map(records({{{1, 2, 0}, 3}})), "record 1 has class 3, wanted 0 to 2");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(task.map(records({{{1, nan, 0}, 0}})), "record 1: the score of class 1 is NaN");
}

TEST_CASE("which part holds the scores") {
  TestHost host;
  const auto try_on = [&](std::vector<PartSpec> parts, const char* prediction = "") {
    AccumulatingTaskTest(host, kConfusion, Settings(kConfusion).set("prediction", prediction),
                         std::move(parts));
  };
  const PartSpec label{"label", DType::i32, {}}, a{"a", DType::f32, {3}}, b{"b", DType::f32, {3}};
  CHECK_THROWS_WITH(try_on({a, b, label}), "both \"a\" and \"b\" can be the scores: name one of them");
  try_on({a, b, label}, "b");
  CHECK_THROWS_WITH(try_on({label}), "no part is f32 of one axis, which scores are");
  CHECK_THROWS_WITH(try_on({{"a", DType::f32, {3, 2}}, label}, "a"),
                    "part \"a\" is f32[3, 2], wanted f32 [classes]");
  CHECK_THROWS(try_on({a, label}, "c"));
  CHECK_THROWS_WITH(try_on({a, {"label", DType::f32, {}}}),
                    "part \"label\" is f32[], wanted one number i32 or i64");
}

}  // namespace
