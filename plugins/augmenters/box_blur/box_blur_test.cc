#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("as OpenCV's blur has it") {
  PictureTest test("plait.box_blur");
  test.set("low", 3).set("high", 3);
  CHECK(test.bytes() == std::vector<int>{120, 105, 160, 104, 103, 172, 113, 125, 180, 134, 131, 143,
                                         132, 143, 111, 143, 112, 152, 140, 123, 149, 131, 128, 167,
                                         135, 145, 141, 117, 141, 151, 183, 163, 157, 162, 156, 136,
                                         129, 165, 158, 109, 158, 136, 102, 165, 157, 205, 170, 149,
                                         198, 177, 112, 147, 168, 146, 109, 172, 135, 87,  164, 197});
  CHECK(test.apart() < 0.5 + 1e-3);  // half a tone of rounding, and a few roundings of f32
}

TEST_CASE("a square of 1 changes nothing; an even one is refused") {
  PictureTest test("plait.box_blur");
  test.set("low", 1).set("high", 1);
  CHECK(test.bytes() == some_picture());
  test.set("high", 4);
  CHECK_THROWS_WITH(test.bytes(), "low is 1 and high 4, wanted odd numbers");
}

TEST_CASE("odd sizes alone are drawn, all as often") {
  PictureTest test("plait.box_blur");
  test.set("low", 1).set("high", 5);
  test.shape = {1, 60, 1};
  test.picture = std::vector<int>(60, 0);
  test.picture[30] = 225;
  int seen[3] = {};
  for (test.sample = 0; test.sample < 600; ++test.sample) {
    const int middle = test.bytes()[30];  // along one row the square's mean is that of a line
    CHECK((middle == 225 || middle == 75 || middle == 45));
    ++seen[middle == 225 ? 0 : middle == 75 ? 1 : 2];
  }
  for (const int count : seen) CHECK(std::abs(count - 200) < 5 * 11.6);  // sqrt(600 * 2 / 9)
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.box_blur").tells_nan()); }

}  // namespace
