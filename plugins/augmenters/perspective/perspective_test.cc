#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

constexpr size_t kHeight = 41, kWidth = 61;

// Two ramps, so that what a pixel shows is where it comes from: rows from 20 on, columns too.
PictureTest ramps() {
  PictureTest test("plait.perspective");
  test.shape = {kHeight, kWidth, 2};
  test.picture.clear();
  for (size_t i = 0; i < kHeight * kWidth; ++i) {
    test.picture.push_back(static_cast<int>(i / kWidth) + 20);
    test.picture.push_back(static_cast<int>(i % kWidth) + 20);
  }
  return test;
}

struct Place {
  double row, column;
  bool inside;
};
Place place_of(const std::vector<float>& made, size_t row, size_t column) {
  const size_t at = 2 * (row * kWidth + column);
  const double y = 255 * double{made[at]} - 20, x = 255 * double{made[at + 1]} - 20;
  return {y, x, y >= -0.01 && x >= -0.01};
}

TEST_CASE("no amount: the picture as it is") {
  PictureTest test("plait.perspective");
  test.set("low", 0).set("high", 0);
  CHECK(test.bytes() == some_picture());
  test.shape = {1, 20, 3};
  test.set("low", 0.9).set("high", 0.9);
  CHECK(test.bytes() == some_picture());  // a single row
}

// Along any line of new pixels the old places lie on a line, and cross ratios of four on it are kept: of
// pixels 0, 1, 2, 3 steps apart 4 / 3.
TEST_CASE("lines stay lines, and cross ratios are kept") {
  PictureTest test = ramps();
  test.set("low", 0.3).set("high", 0.8);
  int tried = 0;
  for (test.sample = 0; test.sample < 30; ++test.sample) {
    const std::vector<float> made = test.floats();
    for (const auto& [down, right] : {std::pair<size_t, size_t>{0, 5}, {5, 0}, {4, 5}}) {
      Place p[4];
      for (size_t k = 0; k < 4; ++k) p[k] = place_of(made, 13 + k * down, 21 + k * right);
      if (!(p[0].inside && p[1].inside && p[2].inside && p[3].inside)) continue;
      const auto apart = [&](size_t a, size_t b) {
        return std::hypot(p[a].row - p[b].row, p[a].column - p[b].column);
      };
      CHECK(apart(0, 1) + apart(1, 3) == doctest::Approx(apart(0, 3)).epsilon(1e-4));
      CHECK(apart(0, 2) + apart(2, 3) == doctest::Approx(apart(0, 3)).epsilon(1e-4));
      CHECK(apart(0, 2) * apart(1, 3) / (apart(0, 3) * apart(1, 2)) ==
            doctest::Approx(4.0 / 3).epsilon(2e-3));
      ++tried;
    }
  }
  CHECK(tried > 60);
}

// Corners are moved inwards: what a new pixel in a corner shows lies outside of the old picture, the middle
// inside.
TEST_CASE("the picture lies inside of its old edges, by the amount at most") {
  PictureTest test = ramps();
  test.set("low", 0.4).set("high", 0.4).set("fill", 0);
  double filled = 0;
  for (test.sample = 0; test.sample < 200; ++test.sample) {
    const std::vector<float> made = test.floats();
    CHECK(place_of(made, 20, 30).inside);
    for (size_t row = 9; row < 32; ++row)  // 0.4 of 20 from either edge
      for (size_t column = 13; column < 48; ++column) CHECK(place_of(made, row, column).inside);
    int count = 0;
    for (size_t i = 0; i < kHeight * kWidth; ++i) count += !place_of(made, i / kWidth, i % kWidth).inside;
    filled += count;
    CHECK(count > 0);
  }
  // Edges move by 0.1 of the picture in the mean, so that 0.8 by 0.8 of it are left.
  CHECK(filled / 200 / (kHeight * kWidth) == doctest::Approx(0.36).epsilon(0.1));
}

TEST_CASE("bytes are the floats, rounded") {
  PictureTest test("plait.perspective");
  CHECK(test.apart() < 0.51);
  test.set("p", 0);
  CHECK(test.bytes() == some_picture());
}

}  // namespace
