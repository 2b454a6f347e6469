#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

constexpr int kEdge = 41, kMiddle = 20;

// Two ramps, so that what a pixel shows is where it comes from.
PictureTest ramps(double amount) {
  PictureTest test("plait.optical_distortion");
  test.shape = {kEdge, kEdge, 2};
  test.picture.clear();
  for (int i = 0; i < kEdge * kEdge; ++i) {
    test.picture.push_back(i / kEdge + 20);
    test.picture.push_back(i % kEdge + 20);
  }
  test.set("low", amount).set("high", amount);
  return test;
}

TEST_CASE("pixels come from where the formula says") {
  for (const double amount : {-0.9, -0.2, 0.1, 0.5, 3.0}) {
    CAPTURE(amount);
    const std::vector<float> made = ramps(amount).floats();
    int inside = 0;
    for (int i = 0; i < kEdge; ++i)
      for (int j = 0; j < kEdge; ++j) {
        const double down = i - kMiddle, right = j - kMiddle;
        const double more = 1 + amount * (down * down + right * right) / (2 * kMiddle * kMiddle);
        const double row = kMiddle + down * more, column = kMiddle + right * more;
        if (row < 0 || column < 0 || row > kEdge - 1 || column > kEdge - 1) continue;
        const auto at = static_cast<size_t>(2 * (i * kEdge + j));
        CHECK(255 * double{made[at]} - 20 == doctest::Approx(row).epsilon(1e-4));
        CHECK(255 * double{made[at + 1]} - 20 == doctest::Approx(column).epsilon(1e-4));
        ++inside;
      }
    CHECK((inside == kEdge * kEdge) == (amount < 0));  // a pincushion shows less of the picture
  }
}

TEST_CASE("no amount, and no chance: the picture as it is") {
  PictureTest test("plait.optical_distortion");
  test.set("low", 0).set("high", 0);
  CHECK(test.bytes() == some_picture());
  test.set("high", 0.5).set("p", 0);
  CHECK(test.bytes() == some_picture());
}

TEST_CASE("corners that come from outside are fill") {
  PictureTest test = ramps(1);
  test.set("fill", 1);
  CHECK(test.bytes()[0] == 255);
  CHECK(test.bytes().back() == 255);
}

}  // namespace
