#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Doubles = std::vector<double>;
using Rows = std::vector<int64_t>;

TestTensor array(const char* name, std::vector<int64_t> shape, const Doubles& values) {
  TestTensor made(name, DType::f64, std::move(shape));
  std::copy(values.begin(), values.end(), made.data<double>().begin());
  return made;
}

Settings with(const TestTensor& rows, const char* name, int64_t k = 1) {
  return Settings(linked("plait.nearest"))
      .set("part", "x")
      .set("array", name)
      .set("k", k)
      .set_stage("from", "s", {rows.c()});
}

struct Found {
  Rows index;
  Doubles distance;
};

// For vectors of d numbers, one after the other, some in a call.
template <class V>
Found nearest(const std::vector<V>& vectors, size_t d, DType dtype, const Settings& settings) {
  TestHost host;
  AccumulatingTaskTest task(host, linked("plait.nearest"), settings,
                            {{"x", dtype, {static_cast<int64_t>(d)}}});
  for (size_t first = 0; first < vectors.size(); first += 70 * d) {
    RecordBytes records;
    for (size_t at = first; at < std::min(vectors.size(), first + 70 * d); at += d)
      records.push_back({record_of(std::vector<V>(&vectors[at], &vectors[at] + d))});
    task.map(records);
  }
  return {task.accumulated<int64_t>("index"), task.accumulated<double>("distance")};
}

TEST_CASE("by hand, of every element type, the nearest first and of two as near the lowest") {
  const TestTensor rows = array("rows", {4, 2}, {0, 0, 3, 4, 3, 4, 0, 1});
  const auto check = [&](auto zero, DType dtype) {
    using V = decltype(zero);
    const Found found = nearest<V>({0, 0, 3, 4, 0, 2}, 2, dtype, with(rows, "rows", 3));
    CHECK(found.index == Rows{0, 3, 1, 1, 2, 3, 3, 0, 1});
    CHECK(found.distance[0] == 0);
    CHECK(found.distance[1] == 1);
    CHECK(found.distance[2] == 5);
    CHECK(found.distance[5] == doctest::Approx(std::sqrt(18.0)));
  };
  check(float{}, DType::f32);
  check(double{}, DType::f64);
  check(uint8_t{}, DType::u8);
  check(int32_t{}, DType::i32);
  check(int64_t{}, DType::i64);
}

TEST_CASE("cosine sees directions alone") {
  const TestTensor rows = array("rows", {3, 2}, {10, 0, 0, 0.5, -2, 0});
  const Found found =
      nearest<double>({0.25, 0, -7, 7}, 2, DType::f64, with(rows, "rows", 3).set("metric", "cosine"));
  CHECK(found.index == Rows{0, 1, 2, 1, 2, 0});
  const double half = 1 / std::sqrt(2.0);
  const Doubles wanted = {0, 1, 2, 1 - half, 1 - half, 1 + half};
  for (size_t i = 0; i < wanted.size(); ++i) CHECK(std::abs(found.distance[i] - wanted[i]) < 1e-15);
}

TEST_CASE("agrees with the obvious loop") {
  for (const bool is_cosine : {false, true}) {
    for (const size_t d : {1, 7, 16, 33}) {
      for (const size_t n : {1, 8, 19, 300}) {
        for (const size_t k : {size_t{1}, n / 2 + 1, n}) {
          CAPTURE(is_cosine);
          CAPTURE(d);
          CAPTURE(n);
          CAPTURE(k);
          Random random(d, n);
          Doubles rows, vectors;
          for (size_t i = 0; i < n * d; ++i) rows.push_back(random.normal());
          for (size_t i = 0; i < 131 * d; ++i) vectors.push_back(random.normal());
          const TestTensor made = array("rows", {static_cast<int64_t>(n), static_cast<int64_t>(d)}, rows);
          const Found found = nearest(
              vectors, d, DType::f64,
              with(made, "rows", static_cast<int64_t>(k)).set("metric", is_cosine ? "cosine" : "euclidean"));
          REQUIRE(found.index.size() == 131 * k);
          for (size_t v = 0; v < 131; ++v) {
            const double* const x = &vectors[v * d];
            Doubles distances;
            for (size_t r = 0; r < n; ++r) {
              double squares = 0, product = 0, xx = 0, rr = 0;
              for (size_t i = 0; i < d; ++i) {
                const double y = rows[r * d + i];
                squares += (x[i] - y) * (x[i] - y);
                product += x[i] * y, xx += x[i] * x[i], rr += y * y;
              }
              distances.push_back(is_cosine ? 1 - product / std::sqrt(xx * rr) : std::sqrt(squares));
            }
            Doubles sorted = distances;
            std::ranges::sort(sorted);
            // By distance: of one element all directions are one of two, and rows as near in any rounding.
            double off = 0;
            Rows seen;
            for (size_t i = 0; i < k; ++i) {
              const int64_t row = found.index[v * k + i];
              off = std::max(off, std::abs(found.distance[v * k + i] - sorted[i]));
              off = std::max(off, std::abs(distances[static_cast<size_t>(row)] - sorted[i]));
              seen.push_back(row);
            }
            CHECK(off < 1e-12);
            std::ranges::sort(seen);
            CHECK(std::ranges::adjacent_find(seen) == seen.end());
          }
        }
      }
    }
  }
}

TEST_CASE("distances are left out where they are not wanted, and rows may have any shape") {
  const TestTensor rows = array("rows", {2, 2, 1}, {0, 0, 5, 5});
  TestHost host;
  AccumulatingTaskTest task(host, linked("plait.nearest"), with(rows, "rows").set("distance", false),
                            {{"x", DType::u8, {1, 2}}});
  task.map({{record_of<uint8_t>({4, 4})}});
  CHECK(task.accumulated<int64_t>("index") == Rows{1});
  CHECK_THROWS(task.accumulated<double>("distance"));
}

TEST_CASE("what cannot be is refused") {
  const double infinity = std::numeric_limits<double>::infinity();
  const TestTensor rows = array("rows", {2, 2}, {1, 2, 3, 4});
  const auto try_on = [&](const Settings& settings, PartSpec part) {
    TestHost host;
    AccumulatingTaskTest(host, linked("plait.nearest"), settings, {std::move(part)});
  };
  CHECK_THROWS_WITH(try_on(with(rows, "rows"), {"x", DType::f32, {3}}),
                    "rows of stage \"s\" is [2, 2], wanted rows of the 3 elements of part \"x\"");
  CHECK_THROWS_WITH(try_on(with(rows, "rows", 3), {"x", DType::f32, {2}}),
                    "rows of stage \"s\" has 2 rows, wanted at least k, 3");
  CHECK_THROWS_WITH(try_on(with(rows, "centres"), {"x", DType::f32, {2}}),
                    "stage \"s\" makes no array \"centres\", only: rows");
  CHECK_THROWS_WITH(try_on(with(rows, "rows"), {"x", DType::bf16, {2}}),
                    "part \"x\" is bf16[2], wanted f32, f64, u8, i32 or i64 of a fixed shape");
  const TestTensor endless = array("rows", {1, 2}, {1, infinity});
  CHECK_THROWS_WITH(try_on(with(endless, "rows"), {"x", DType::f32, {2}}),
                    "element 1 of row 0 of rows of stage \"s\" is inf");
  const TestTensor zero = array("rows", {1, 2}, {0, 0});
  CHECK_THROWS_WITH(try_on(with(zero, "rows").set("metric", "cosine"), {"x", DType::f32, {2}}),
                    "row 0 of rows of stage \"s\" has length 0, and so no angle to others");
  CHECK_THROWS_WITH(nearest<float>({1, 1, 0, 0}, 2, DType::f32, with(rows, "rows").set("metric", "cosine")),
                    "record 1 has length 0, and so no angle to others");
  CHECK_THROWS_WITH(nearest<double>({1, infinity}, 2, DType::f64, with(rows, "rows")),
                    "element 1 of record 0 is inf");
}

}  // namespace
