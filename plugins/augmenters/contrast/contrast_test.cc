#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("about the mean brightness, by NumPy in f64") {
  PictureTest test("plait.contrast");
  test.set("low", 1.7).set("high", 1.7);
  CHECK(test.bytes() == std::vector<int>{0,   0,   94,  217, 0,   98,  255, 74,  255, 145, 0,   255,
                                         213, 139, 88,  60,  57,  77,  122, 190, 255, 0,   101, 255,
                                         16,  227, 26,  255, 132, 3,   255, 251, 193, 159, 149, 162,
                                         200, 255, 0,   20,  152, 255, 54,  255, 50,  255, 142, 6,
                                         255, 241, 176, 135, 118, 125, 156, 210, 255, 0,   81,  230});
  CHECK(test.apart() < 0.5 + 1e-3);  // half a tone of rounding, and a few roundings of f32
}

TEST_CASE("a factor of 0 is the mean, of one channel too") {
  PictureTest test("plait.contrast");
  test.set("low", 0).set("high", 0);
  CHECK(test.bytes() == std::vector<int>(60, 140));  // 139.521
  test.one_channel();
  test.picture = std::vector<int>(60, 10);
  for (size_t i = 0; i < 15; ++i) test.picture[i] = 50;
  CHECK(test.bytes() == std::vector<int>(60, 20));
}

TEST_CASE("the range is in order") {
  PictureTest test("plait.contrast");
  test.set("low", 2).set("high", 1);
  CHECK_THROWS_WITH(test.bytes(), "low is 2, above high 1");
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.contrast").tells_nan()); }

}  // namespace
