#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

constexpr size_t kHeight = 41, kWidth = 61;

PictureTest ramps(int64_t cells, double amount) {
  PictureTest test("plait.grid_distortion");
  test.shape = {kHeight, kWidth, 2};
  test.picture.clear();
  for (size_t i = 0; i < kHeight * kWidth; ++i) {
    test.picture.push_back(static_cast<int>(i / kWidth) + 20);
    test.picture.push_back(static_cast<int>(i % kWidth) + 20);
  }
  test.set("cells", cells).set("low", amount).set("high", amount);
  return test;
}

// Of channel 0 the row, of 1 the column.
double place(const std::vector<float>& made, size_t row, size_t column, size_t channel) {
  return 255 * double{made[2 * (row * kWidth + column) + channel]} - 20;
}

TEST_CASE("rows come from rows and columns from columns, in order, from edge to edge") {
  PictureTest test = ramps(4, 0.5);
  for (test.sample = 0; test.sample < 20; ++test.sample) {
    const std::vector<float> made = test.floats();
    for (size_t i = 0; i < kHeight; ++i)
      for (size_t j = 0; j < kWidth; ++j) {
        CHECK(place(made, i, j, 0) == doctest::Approx(place(made, i, 0, 0)).epsilon(1e-4));
        CHECK(place(made, i, j, 1) == doctest::Approx(place(made, 0, j, 1)).epsilon(1e-4));
      }
    for (size_t j = 1; j < kWidth; ++j) CHECK(place(made, 0, j, 1) > place(made, 0, j - 1, 1));
    CHECK(std::abs(place(made, 0, 0, 0)) < 1e-3);
    CHECK(std::abs(place(made, 0, 0, 1)) < 1e-3);
    CHECK(place(made, kHeight - 1, 0, 0) == doctest::Approx(kHeight - 1).epsilon(1e-4));
    CHECK(place(made, 0, kWidth - 1, 1) == doctest::Approx(kWidth - 1).epsilon(1e-4));
  }
}

// Between edges places grow evenly: at most one change of step for each inner edge, each of two pixels'
// steps.
TEST_CASE("within a cell the step is the same") {
  PictureTest test = ramps(3, 0.6);
  for (test.sample = 0; test.sample < 20; ++test.sample) {
    const std::vector<float> made = test.floats();
    int changes = 0;
    for (size_t j = 2; j < kWidth; ++j) {
      const double step = place(made, 0, j, 1) - place(made, 0, j - 1, 1);
      const double before = place(made, 0, j - 1, 1) - place(made, 0, j - 2, 1);
      changes += std::abs(step - before) > 1e-3;
      // Shares of 0.4 to 1.6, scaled by the mean of three.
      CHECK(step > 1 / 1.6 * (0.4 + 0.4 + 1.6) / 3 - 1e-3);
      CHECK(step < 1 / 0.4 * (1.6 + 1.6 + 0.4) / 3 + 1e-3);
    }
    CHECK(changes <= 4);
    CHECK(changes >= 1);
  }
}

TEST_CASE("one cell, no amount and no chance: the picture as it is") {
  PictureTest test("plait.grid_distortion");
  test.set("cells", 1).set("low", 0.9).set("high", 0.9);
  CHECK(test.bytes() == some_picture());
  test.set("cells", 5).set("low", 0).set("high", 0);
  CHECK(test.bytes() == some_picture());
  test.set("high", 0.5).set("p", 0);
  CHECK(test.bytes() == some_picture());
}

TEST_CASE("bytes are the floats, rounded; a single row and column stay") {
  PictureTest test("plait.grid_distortion");
  CHECK(test.apart() < 0.51);
  test.shape = {1, 1, 60};
  CHECK(test.bytes() == some_picture());
}

}  // namespace
