#include <doctest/doctest.h>
#include <plait/noise.hpp>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

// Two ramps, so that what a pixel shows is where it comes from.
PictureTest ramps(int64_t edge) {
  PictureTest test("plait.elastic_deformation");
  test.shape = {edge, edge, 2};
  test.picture.clear();
  for (int64_t i = 0; i < edge * edge; ++i) {
    test.picture.push_back(static_cast<int>(i / edge) + 20);
    test.picture.push_back(static_cast<int>(i % edge) + 20);
  }
  return test;
}

TEST_CASE("no shift: the picture as it is") {
  PictureTest test("plait.elastic_deformation");
  test.set("low", 0).set("high", 0);
  CHECK(test.bytes() == some_picture());
}

TEST_CASE("the shift has that root mean square along each axis, and is alike for neighbours") {
  constexpr size_t kEdge = 100;
  PictureTest test = ramps(kEdge);
  test.set("low", 2).set("high", 2).set("smoothness", 5);
  double squares[2] = {}, steps = 0;
  size_t count = 0;
  for (test.sample = 0; test.sample < 40; ++test.sample) {
    const std::vector<float> made = test.floats();
    for (size_t i = 20; i < kEdge - 20; ++i) {
      for (size_t j = 20; j < kEdge - 20; ++j) {
        const auto shift = [&](size_t row, size_t column, size_t axis) {
          return 255 * made[2 * (row * kEdge + column) + axis] - 20 -
                 static_cast<double>(axis == 0 ? row : column);
        };
        for (size_t axis = 0; axis < 2; ++axis) squares[axis] += shift(i, j, axis) * shift(i, j, axis);
        const double step = shift(i, j + 1, 0) - shift(i, j, 0);
        steps += step * step;
        ++count;
      }
    }
  }
  // Shifts are alike over some 2 root(pi) 5 = 18 pixels: 40 pictures have about 460 independent ones of each
  // axis, whose squares have a deviation of root 2 in 460: 7 %; four of them.
  for (const double sum : squares)
    CHECK(sum / static_cast<double>(count) == doctest::Approx(4).epsilon(0.28));
  // Neighbours of noise smoothed so differ by the amount / (root 2 smoothness): 0.28, squared 0.08.
  CHECK(steps / static_cast<double>(count) == doctest::Approx(0.08).epsilon(0.28));
}

TEST_CASE("pixels that come from outside are fill") {
  PictureTest test = ramps(12);
  test.set("low", 1000).set("high", 1000).set("fill", 1);
  int outside = 0;
  for (const int value : test.bytes()) outside += value == 255;
  CHECK(outside > 200);  // of 288
}

// By the definition, in f64: the same noise, smoothed by sums over both axes with reflections.
TEST_CASE("shifts and samples by their definitions") {
  PictureTest test("plait.elastic_deformation");
  test.set("low", 1.5).set("high", 1.5).set("smoothness", 0.6);  // 5 taps
  test.shape = {6, 10, 1};
  Random random(7, test.sample);
  std::vector<float> noise(120);
  fill_normals(random.split(0), noise.data(), noise.size());
  double taps[5], sum = 0, squares = 0;
  for (int k = 0; k < 5; ++k) sum += taps[k] = std::exp(-0.5 * (k - 2) * (k - 2) / 0.36);
  for (double& tap : taps) tap /= sum, squares += tap * tap;
  const auto reflected = [](int at, int extent) {
    return at < 0 ? -at : at >= extent ? 2 * (extent - 1) - at : at;
  };
  const auto shift = [&](int axis, int row, int column) {
    double total = 0;
    for (int i = 0; i < 5; ++i)
      for (int j = 0; j < 5; ++j)
        total += taps[i] * taps[j] *
                 noise[static_cast<size_t>(60 * axis + reflected(row + i - 2, 6) * 10 +
                                           reflected(column + j - 2, 10))];
    return total * 1.5 / squares;
  };
  const std::vector<float> made = test.floats();
  for (int row = 0; row < 6; ++row) {
    for (int column = 0; column < 10; ++column) {
      const double x = column + shift(0, row, column), y = row + shift(1, row, column);
      double wanted = 0;
      for (int i = 0; i < 6; ++i)
        for (int j = 0; j < 10; ++j)
          wanted += std::max(0.0, 1 - std::abs(y - i)) * std::max(0.0, 1 - std::abs(x - j)) *
                    test.picture[static_cast<size_t>(10 * i + j)] / 255;
      // Shifts below 10 of 25 products, each rounded at 6e-8; the picture changes by at most 1 per pixel of
      // way.
      CHECK(std::abs(made[static_cast<size_t>(10 * row + column)] - wanted) < 2 * 10 * 25 * 6e-8);
    }
  }
}

TEST_CASE("what is no number is not hidden") { PictureTest test("plait.elastic_deformation");
  test.set("low", 0).set("high", 0);  // else it may lie between the places that are looked at
  CHECK(test.tells_nan()); }

}  // namespace
