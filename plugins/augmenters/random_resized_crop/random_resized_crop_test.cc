#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>
#include <set>
#include <vector>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

constexpr int64_t kHeight = 40, kWidth = 60;

// A picture whose first channel is the row and whose second is the column, in 64ths, cut and scaled to 2
// by 2.
struct Test {
  TestHost host;
  Entry entry = linked("plait.random_resized_crop");
  AugmenterTest crop;
  explicit Test(const Settings& more, int64_t height = kHeight, int64_t width = kWidth)
      : crop(host, entry, more, {{"image", DType::f32, {height, width, 2}}}) {
    const auto image = crop.sample.inputs[0].f32();
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x) {
        image[static_cast<size_t>(2 * (y * width + x))] = static_cast<float>(y) / 64;
        image[static_cast<size_t>(2 * (y * width + x) + 1)] = static_cast<float>(x) / 64;
      }
  }
  struct Region {
    double top, left, height, width;
  };
  // Bilinear between two pixels, which of a ramp is exact: at h / 4 and 3 h / 4, where pixel i lies at i + 1
  // / 2.
  Region region(uint64_t key) {
    crop.sample.rng = {key, 3};
    crop.apply();
    const auto y = crop.sample.outputs[0].f32();
    const double h = 128 * (double{y[4]} - double{y[0]}), w = 128 * (double{y[3]} - double{y[1]});
    return {64 * double{y[0]} - h / 4 + 0.5, 64 * double{y[1]} - w / 4 + 0.5, h, w};
  }
};

Settings settings(double area_low, double area_high, double ratio_low, double ratio_high) {
  const Entry entry = linked("plait.random_resized_crop");
  return Settings(entry)
      .clear("size")
      .add("size", 2)
      .set("antialias", false)
      .set("area_low", area_low)
      .set("area_high", area_high)
      .set("ratio_low", ratio_low)
      .set("ratio_high", ratio_high);
}

TEST_CASE("rectangles lie inside, of areas and ratios within the bounds") {
  Test test(settings(0.1, 0.6, 0.5, 2));
  double areas = 0, ratios = 0;
  std::set<long> tops, lefts;
  constexpr int kDrawn = 4000;
  for (uint64_t key = 0; key < kDrawn; ++key) {
    const auto of = test.region(key);
    for (const double whole : {of.top, of.left, of.height, of.width})
      REQUIRE(std::abs(whole - std::round(whole)) < 2e-3);
    CHECK(of.top > -0.01);
    CHECK(of.left > -0.01);
    CHECK(of.top + of.height < kHeight + 0.01);
    CHECK(of.left + of.width < kWidth + 0.01);
    // Edges are rounded to whole pixels: by half of one each.
    const double half = 0.5 * (of.height + of.width) + 0.3;
    CHECK(of.height * of.width >= 0.1 * kHeight * kWidth - half);
    CHECK(of.height * of.width <= 0.6 * kHeight * kWidth + half);
    CHECK((of.width - 0.6) / (of.height + 0.6) <= 2);
    CHECK((of.width + 0.6) / (of.height - 0.6) >= 0.5);
    areas += of.height * of.width / (kHeight * kWidth) / kDrawn,
        ratios += std::log(of.width / of.height) / kDrawn;
    tops.insert(std::lround(of.top)), lefts.insert(std::lround(of.left));
  }
  CHECK(areas > 0.25);  // less than 0.35, as large ones of some ratios do not fit
  CHECK(areas < 0.36);
  CHECK(ratios > 0);  // the picture is wider than high
  CHECK(ratios < 0.25);
  CHECK(tops.size() > 20);
  CHECK(lefts.size() > 30);
}

TEST_CASE("of small ones that always fit, area and ratio have the means of what is drawn") {
  Test test(settings(0.05, 0.15, 0.5, 2), 60, 60);
  double areas = 0, ratios = 0;
  constexpr int kDrawn = 4000;
  for (uint64_t key = 0; key < kDrawn; ++key) {
    const auto of = test.region(key);
    areas += of.height * of.width / 3600 / kDrawn, ratios += std::log(of.width / of.height) / kDrawn;
  }
  // Deviations 0.1 / sqrt(12) and 2 log 2 / sqrt(12), of the mean of 4000; rounding adds little.
  CHECK(std::abs(areas - 0.1) < 5 * 0.0289 / std::sqrt(kDrawn) + 5e-4);
  CHECK(std::abs(ratios) < 5 * 0.4 / std::sqrt(kDrawn) + 1e-3);
}

TEST_CASE("where none fits it is the largest in the middle") {
  Test tall(settings(1, 1, 0.5, 0.5));  // 40 by 20 of 40 by 60
  const auto of = tall.region(1);
  CHECK(of.height == doctest::Approx(40));
  CHECK(of.width == doctest::Approx(20));
  CHECK(of.top == doctest::Approx(0).epsilon(1e-3));
  CHECK(of.left == doctest::Approx(20));
  Test wide(settings(1, 1, 3, 3));  // 20 by 60
  const auto other = wide.region(1);
  CHECK(other.height == doctest::Approx(20));
  CHECK(other.width == doctest::Approx(60));
  CHECK(other.top == doctest::Approx(10));
}

TEST_CASE("bounds the wrong way round are refused") {
  CHECK_THROWS_WITH(Test(settings(0.5, 0.4, 1, 1)), "area_low is 0.5, above area_high 0.4");
  CHECK_THROWS_WITH(Test(settings(0.5, 0.5, 2, 1)), "ratio_low is 2, above ratio_high 1");
}

}  // namespace
