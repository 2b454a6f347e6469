#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

#include <set>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

constexpr size_t kHeight = 30, kWidth = 40;

PictureTest black() {
  PictureTest test("plait.random_erasing");
  test.shape = {kHeight, kWidth, 1};
  test.picture = std::vector<int>(kHeight * kWidth, 0);
  test.set("fill", 1);
  return test;
}

TEST_CASE("one rectangle, its area and ratio within the bounds, anywhere") {
  PictureTest test = black();
  test.set("area_low", 0.05).set("area_high", 0.2).set("ratio_low", 0.5).set("ratio_high", 2);
  std::set<size_t> tops, lefts;
  double areas = 0;
  for (test.sample = 0; test.sample < 2000; ++test.sample) {
    const std::vector<int> made = test.bytes();
    size_t top = kHeight, bottom = 0, left = kWidth, right = 0, count = 0;
    for (size_t i = 0; i < made.size(); ++i) {
      if (made[i] == 0) continue;
      CHECK(made[i] == 255);
      top = std::min(top, i / kWidth), bottom = std::max(bottom, i / kWidth + 1);
      left = std::min(left, i % kWidth), right = std::max(right, i % kWidth + 1);
      ++count;
    }
    const double height = static_cast<double>(bottom - top), width = static_cast<double>(right - left);
    REQUIRE(static_cast<double>(count) == height * width);
    // Edges are rounded to whole pixels: by half of one each.
    const double half = 0.5 * (height + width) + 0.3;
    CHECK(height * width >= 0.05 * kHeight * kWidth - half);
    CHECK(height * width <= 0.2 * kHeight * kWidth + half);
    CHECK((width - 0.5) / (height + 0.5) <= 2);
    CHECK((width + 0.5) / (height - 0.5) >= 0.5);
    areas += height * width / (kHeight * kWidth) / 2000;
    tops.insert(top), lefts.insert(left);
  }
  CHECK(std::abs(areas - 0.125) <
        5 * 0.0433 / std::sqrt(2000) + 2e-3);  // 0.15 / sqrt(12); rounding adds little
  CHECK(tops.size() > 18);
  CHECK(lefts.size() > 25);
}

TEST_CASE("noise has all tones, of bytes and of floats") {
  PictureTest test = black();
  test.set("noise", true).set("area_low", 0.3).set("area_high", 0.3);
  std::set<int> tones;
  double sum = 0, count = 0;
  for (test.sample = 0; test.sample < 20; ++test.sample) {
    for (const int value : test.bytes()) tones.insert(value);
    for (const float value : test.floats())
      if (value != 0) sum += value, ++count;
  }
  CHECK(tones.size() == 256);
  CHECK(count > 5000);
  CHECK(std::abs(sum / count - 0.5) < 5 * 0.29 / std::sqrt(count));
}

TEST_CASE("nothing is hidden where nothing fits, and without a chance") {
  PictureTest test = black();
  test.set("area_low", 1).set("area_high", 1);
  CHECK(test.bytes() == test.picture);
  test.set("area_low", 0).set("area_high", 0);
  CHECK(test.bytes() == test.picture);
  test.set("area_high", 0.5).set("p", 0);
  CHECK(test.bytes() == test.picture);
}

TEST_CASE("bounds the wrong way round are refused") {
  PictureTest test = black();
  test.set("area_low", 0.5);
  CHECK_THROWS_WITH(test.bytes(), "area_low is 0.5, above area_high 0.33");
  test.set("area_low", 0.1).set("ratio_low", 4);
  CHECK_THROWS_WITH(test.bytes(), "ratio_low is 4, above ratio_high 3.3");
}

}  // namespace
