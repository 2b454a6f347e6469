#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("away from the mean of 3 by 3, as OpenCV's filter2D has it") {
  PictureTest test("plait.sharpen");
  test.set("low", 1.8).set("high", 1.8);
  CHECK(test.bytes() == std::vector<int>{11,  55,  113, 185, 15,  115, 229, 101, 243, 143, 57,  241,
                                         183, 139, 109, 93,  91,  103, 123, 194, 255, 0,   111, 238,
                                         29,  216, 35,  225, 135, 59,  253, 205, 171, 145, 139, 163,
                                         200, 236, 0,   47,  141, 255, 89,  209, 87,  235, 141, 61,
                                         251, 199, 161, 137, 127, 131, 149, 181, 227, 31,  105, 193});
  CHECK(test.apart() < 0.5 + 1e-3);  // half a tone of rounding, and a few roundings of f32
}

TEST_CASE("a factor of 1 changes nothing, nor does any in a picture without a middle") {
  PictureTest test("plait.sharpen");
  test.set("low", 1).set("high", 1);
  CHECK(test.bytes() == some_picture());
  test.set("low", 9).set("high", 9);
  test.shape = {2, 10, 3};
  CHECK(test.bytes() == some_picture());
  test.shape = {10, 2, 3};
  CHECK(test.bytes() == some_picture());
}

TEST_CASE("the range is in order") {
  PictureTest test("plait.sharpen");
  test.set("low", 2).set("high", 1);
  CHECK_THROWS_WITH(test.bytes(), "low is 2, above high 1");
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.sharpen").tells_nan()); }

}  // namespace
