#include <doctest/doctest.h>
#include <plait/sdk/testing_sound.hpp>

#include <cmath>
#include <set>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

constexpr int64_t kRows = 30, kColumns = 12;
constexpr float kFill = 100;

SoundTest masked(int time_masks, int frequency_masks) {
  SoundTest test("plait.spec_augment", [=](Settings& s) {
    s.set("time_masks", time_masks).set("time_width", 6).set("frequency_masks", frequency_masks);
    s.set("frequency_width", 4).set("fill", kFill);
  });
  test.columns = {kColumns};
  return test;
}

// Rows, or columns, that are filled all along; everything else is as it was.
std::set<int64_t> stripes(const std::vector<float>& made, int64_t rows, bool of_rows) {
  std::set<int64_t> filled;
  const int64_t extent = of_rows ? rows : kColumns;
  for (int64_t i = 0; i < extent; ++i) {
    int64_t count = 0;
    for (int64_t j = 0; j < (of_rows ? kColumns : rows); ++j)
      count += made[static_cast<size_t>(of_rows ? i * kColumns + j : j * kColumns + i)] == kFill;
    if (count == (of_rows ? kColumns : rows)) filled.insert(i);
  }
  size_t others = 0;
  for (size_t n = 0; n < made.size(); ++n) others += made[n] != kFill && made[n] == sound_at(n);
  const auto left =
      static_cast<size_t>((extent - static_cast<int64_t>(filled.size())) * (of_rows ? kColumns : rows));
  CHECK(others == left);
  return filled;
}

TEST_CASE("one mask: neighbours, of every width up to the largest, anywhere") {
  for (const bool of_rows : {true, false}) {
    SoundTest test = masked(of_rows, !of_rows);
    const size_t widest = of_rows ? 6 : 4;
    std::vector<int> widths(widest + 1);
    std::set<int64_t> met;
    for (test.sample = 0; test.sample < 2000; ++test.sample) {
      const std::set<int64_t> filled = stripes(test.made(kRows), kRows, of_rows);
      REQUIRE(filled.size() <= widest);
      ++widths[filled.size()];
      if (!filled.empty())
        CHECK(*filled.rbegin() - *filled.begin() + 1 == static_cast<int64_t>(filled.size()));
      met.insert(filled.begin(), filled.end());
    }
    CHECK(static_cast<int64_t>(met.size()) == (of_rows ? kRows : kColumns));
    const double wanted = 2000.0 / static_cast<double>(widest + 1);
    for (const int count : widths) CHECK(std::abs(count - wanted) < 5 * std::sqrt(wanted));
  }
}

TEST_CASE("masks lie in the rows that the sample has, and are never wider") {
  SoundTest test = masked(1, 0);
  std::set<int64_t> met;
  for (test.sample = 0; test.sample < 300; ++test.sample) {
    const std::set<int64_t> filled = stripes(test.made(3, kRows), 3, true);
    CHECK(test.rows == 3);
    met.insert(filled.begin(), filled.end());
  }
  CHECK(met == std::set<int64_t>{0, 1, 2});
  CHECK(test.made(0, kRows).empty());
}

TEST_CASE("p, and what is no spectrogram") {
  SoundTest test("plait.spec_augment", [](Settings& s) { s.set("p", 0).set("fill", kFill); });
  test.columns = {kColumns};
  CHECK(stripes(test.made(kRows), kRows, true).empty());
  SoundTest evaluated = masked(4, 4);
  evaluated.training = false;
  CHECK(stripes(evaluated.made(kRows), kRows, true).empty());
  test.columns = {};
  CHECK_THROWS_WITH(test.made(5), "part \"sound\" is f32[5], wanted a spectrogram: f32[rows, columns]");
}

}  // namespace
