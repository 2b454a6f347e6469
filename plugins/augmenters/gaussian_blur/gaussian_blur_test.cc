#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("as OpenCV's GaussianBlur has it, in f64 with 5 taps") {
  PictureTest test("plait.gaussian_blur");
  test.set("low", 0.6).set("high", 0.6);
  CHECK(test.bytes() == std::vector<int>{82,  68,  124, 145, 74,  158, 157, 99,  210, 138, 109, 178,
                                         170, 126, 124, 118, 116, 142, 128, 132, 179, 98,  137, 175,
                                         101, 154, 129, 156, 152, 92,  203, 169, 149, 171, 164, 145,
                                         138, 174, 103, 96,  167, 167, 96,  173, 136, 232, 168, 118,
                                         210, 173, 137, 156, 162, 125, 115, 162, 195, 75,  150, 181});
  CHECK(test.apart() < 0.5 + 1e-3);  // half a tone of rounding, and a few roundings of f32
}

TEST_CASE("a picture smaller than the reach of the weights is reflected again and again") {
  PictureTest test("plait.gaussian_blur");
  test.set("low", 0.6).set("high", 0.6);
  test.shape = {10, 2, 3};
  CHECK(test.bytes() == std::vector<int>{113, 57,  156, 142, 43,  156, 171, 85,  199, 156, 70,  198,
                                         152, 122, 148, 122, 105, 146, 111, 150, 176, 94,  133, 173,
                                         132, 171, 110, 157, 152, 105, 189, 184, 135, 169, 163, 144,
                                         153, 188, 96,  131, 167, 146, 150, 185, 92,  171, 162, 97,
                                         183, 174, 150, 159, 150, 140, 144, 162, 194, 105, 137, 183});
  test.shape = {1, 1, 60};
  CHECK(test.bytes() == some_picture());
  test.set("low", 9).set("high", 9);
  CHECK(test.bytes() == some_picture());
}

TEST_CASE("each sample has a width of its own; a plain picture stays") {
  PictureTest test("plait.gaussian_blur");
  const std::vector<int> one = test.bytes();
  test.sample = 2;
  CHECK(test.bytes() != one);
  test.picture = std::vector<int>(60, 200);
  CHECK(test.bytes() == test.picture);
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.gaussian_blur").tells_nan()); }

}  // namespace
