#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("about each pixel's grey, by NumPy in f64") {
  PictureTest test("plait.saturation");
  test.set("low", 1.6).set("high", 1.6);
  CHECK(test.bytes() == std::vector<int>{0,   59,  152, 250, 0,   138, 255, 68,  255, 167, 29,  255,
                                         204, 133, 85,  93,  90,  109, 108, 172, 255, 0,   125, 255,
                                         23,  221, 33,  255, 124, 2,   255, 199, 144, 153, 143, 156,
                                         174, 232, 0,   30,  155, 255, 47,  239, 44,  255, 130, 2,
                                         255, 192, 131, 141, 125, 131, 132, 184, 255, 0,   112, 253});
  CHECK(test.apart() < 0.5 + 1e-3);  // half a tone of rounding, and a few roundings of f32
}

TEST_CASE("without colours it is refused") {
  PictureTest test("plait.saturation");
  test.one_channel();
  CHECK_THROWS_WITH(test.bytes(),
                    "part \"image\" is u8[4, 15, 1], wanted [H, W, 3] of u8 or f32: red, green, blue");
}

TEST_CASE("the range is in order") {
  PictureTest test("plait.saturation");
  test.set("low", 2).set("high", 1);
  CHECK_THROWS_WITH(test.bytes(), "low is 2, above high 1");
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.saturation").tells_nan()); }

}  // namespace
