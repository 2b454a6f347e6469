#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("a line of no length changes nothing; a plain picture stays") {
  PictureTest test("plait.motion_blur");
  test.set("low", 0).set("high", 0);
  CHECK(test.bytes() == some_picture());
  test.set("high", 9);
  test.picture = std::vector<int>(60, 200);
  for (test.sample = 0; test.sample < 20; ++test.sample) CHECK(test.bytes() == test.picture);
}

// One white pixel becomes the line, seen from the other side.
TEST_CASE("what a pixel is spread over is a line of that length through it") {
  PictureTest test("plait.motion_blur");
  test.set("low", 6).set("high", 6);
  test.shape = {15, 15, 1};
  test.picture = std::vector<int>(225, 0);
  test.picture[7 * 15 + 7] = 255;
  for (test.sample = 0; test.sample < 30; ++test.sample) {
    Random random(7, test.sample);
    random.uniform(), random.uniform();  // p and the length
    const double angle = random.uniform(0, 3.141592653589793), down = std::sin(angle),
                 right = std::cos(angle);
    const std::vector<float> made = test.floats();
    double sum = 0, along = 0;
    for (int i = 0; i < 225; ++i) {
      const double y = i / 15 - 7, x = i % 15 - 7, value = made[static_cast<size_t>(i)];
      sum += value;
      along += value * (y * down + x * right) * (y * down + x * right);
      if (value > 0)
        CHECK(std::abs(y * right - x * down) < 1.42);  // from the line, by pixels that it lies between
    }
    CHECK(sum == doctest::Approx(1).epsilon(1e-5));
    // 13 places half a pixel apart have a variance of 3.5; bilinear weights add at most a quarter along each
    // axis.
    CHECK(along > 3.49);
    CHECK(along < 4.01);
  }
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.motion_blur").tells_nan()); }

}  // namespace
