#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>
#include <limits>
#include <tuple>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Counts = std::vector<int64_t>;
using Numbers = std::vector<double>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Settings with(int64_t bins, double low, double high) {
  return Settings(linked("plait.histogram"))
      .set("part", "x")
      .set("bins", bins)
      .set("low", low)
      .set("high", high);
}

TEST_CASE("by hand: what lies outside has rows of its own") {
  TestHost host;
  const Entry entry = linked("plait.histogram");
  const auto check = [&](auto zero, DType dtype) {
    using V = decltype(zero);
    AccumulatingTaskTest task(host, entry, with(2, 2, 6), {{"x", dtype, {3}}});
    task.map({{record_of<V>({0, 1, 2})}, {record_of<V>({3, 4, 5})}});
    task.map({{record_of<V>({6, 7, 5})}});
    CHECK(!task.finish());
    CHECK(task.output<double>("low_edge") == Numbers{-kInfinity, 2, 4, 6});
    CHECK(task.output<double>("high_edge") == Numbers{2, 4, 6, kInfinity});
    CHECK(task.output<int64_t>("count") == Counts{2, 2, 3, 2});
  };
  check(float{}, DType::f32);
  check(double{}, DType::f64);
  check(uint8_t{}, DType::u8);
  check(int32_t{}, DType::i32);
  check(int64_t{}, DType::i64);
}

TEST_CASE("an element belongs to the interval whose edges it lies between, those of the output") {
  TestHost host;
  const Entry entry = linked("plait.histogram");
  for (const auto& [bins, low, high] : {std::tuple{10, 0.0, 1.0}, {7, -0.3, 0.4}, {1000, 1e6, 1e6 + 1e-3}}) {
    AccumulatingTaskTest task(host, entry, with(bins, low, high), {{"x", DType::f64, {1}}});
    Numbers edges;
    for (int i = 0; i <= bins; ++i)
      edges.push_back(i == bins ? high : low + (high - low) * (double(i) / bins));
    RecordBytes records;
    for (const double edge : edges)  // the edge itself, and the numbers beside it
      for (const double value : {std::nextafter(edge, -kInfinity), edge, std::nextafter(edge, kInfinity)})
        records.push_back({record_of<double>({value})});
    task.map(records);
    CHECK(!task.finish());
    Counts wanted(static_cast<size_t>(bins) + 2, 3);  // the edge, one above, one below the next edge
    wanted.front() = 1, wanted.back() = 2;
    CHECK(task.output<int64_t>("count") == wanted);
  }
}

TEST_CASE("infinities are counted, and what is not a number is refused, naming the record") {
  TestHost host;
  const Entry entry = linked("plait.histogram");
  AccumulatingTaskTest task(host, entry, with(1, 0, 1), {{"x", DType::f32, {2}}});
  const auto infinity = std::numeric_limits<float>::infinity();
  task.map({{record_of<float>({infinity, -infinity})}, {record_of<float>({infinity, 0})}});
  CHECK(task.accumulated<int64_t>("count") == Counts{1, 1, 2});
  const RecordBytes bad = {{record_of<float>({0, 0})}, {record_of<float>({0, std::nanf("")})}};
  CHECK_THROWS_WITH(task.map(bad), "record 3 has an element in part \"x\" that is not a number");
  CHECK(host.code == PLAIT_ERROR_NUMERIC);
}

TEST_CASE("ranges and parts that have no histogram") {
  TestHost host;
  const Entry entry = linked("plait.histogram");
  const auto try_on = [&](const Settings& settings, PartSpec part) {
    AccumulatingTaskTest(host, entry, settings, {std::move(part)});
  };
  CHECK_THROWS_WITH(try_on(with(4, 1, 1), {"x", DType::f32, {2}}),
                    "low is 1 and high 1, wanted low below high, and both finite");
  CHECK_THROWS_WITH(try_on(with(4, 1, std::nextafter(1.0, 2.0)), {"x", DType::f32, {2}}),
                    doctest::Contains("too narrow to have different edges in f64, 4 of them"));
  CHECK_THROWS_WITH(try_on(with(4, 0, 1), {"x", DType::bf16, {2}}),
                    "part \"x\" is bf16[2], wanted f32, f64, u8, i32 or i64 of a fixed shape");
  CHECK_THROWS_WITH(
      try_on(with(4, 0, 1), {"x", DType::u8, {2}, 0}),
      "part \"x\" is u8[2] with a variable axis, wanted f32, f64, u8, i32 or i64 of a fixed shape");
}

}  // namespace
