#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("a factor, as OpenCV's convertScaleAbs has it") {
  PictureTest test("plait.brightness");
  test.set("low", 1.313).set("high", 1.313);
  CHECK(test.bytes() == std::vector<int>{14,  72,  148, 243, 20,  151, 255, 133, 255, 188, 75,  255,
                                         240, 183, 143, 122, 119, 135, 169, 222, 255, 46,  154, 255,
                                         88,  251, 96,  255, 177, 77,  255, 255, 225, 198, 190, 201,
                                         230, 255, 7,   91,  193, 255, 117, 255, 114, 255, 185, 80,
                                         255, 255, 211, 180, 167, 172, 196, 238, 255, 41,  138, 253});
  CHECK(test.apart() < 0.5 + 1e-3);  // half a tone of rounding, and a few roundings of f32
}

TEST_CASE("no chance: the picture as it is") {
  PictureTest test("plait.brightness");
  test.set("p", 0);
  CHECK(test.bytes() == some_picture());
}

TEST_CASE("the range is in order") {
  PictureTest test("plait.brightness");
  test.set("low", 2).set("high", 1);
  CHECK_THROWS_WITH(test.bytes(), "low is 2, above high 1");
}

TEST_CASE("a factor of 0 is black; each sample has its own") {
  PictureTest test("plait.brightness");
  test.set("low", 0).set("high", 0);
  CHECK(test.bytes() == std::vector<int>(60, 0));
  test.set("low", 0.2).set("high", 0.9);
  const std::vector<int> one = test.bytes();
  CHECK(test.bytes() == one);
  test.sample = 2;
  CHECK(test.bytes() != one);
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.brightness").tells_nan()); }

}  // namespace
