#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("a power, by NumPy in f64") {
  PictureTest test("plait.gamma");
  test.set("low", 0.7).set("high", 0.7);
  CHECK(test.bytes() == std::vector<int>{28,  87,  144, 204, 35,  146, 237, 133, 247, 170, 89,  245,
                                         202, 167, 141, 126, 124, 135, 158, 191, 232, 64,  148, 225,
                                         100, 208, 106, 234, 163, 92,  254, 219, 193, 177, 172, 178,
                                         196, 223, 16,  102, 173, 244, 122, 222, 120, 241, 168, 94,
                                         252, 214, 185, 165, 157, 160, 175, 201, 235, 58,  137, 210});
  CHECK(test.apart() < 0.5 + 1e-3);  // half a tone of rounding, and a few roundings of f32
}

TEST_CASE("the range is in order") {
  PictureTest test("plait.gamma");
  test.set("low", 2).set("high", 1);
  CHECK_THROWS_WITH(test.bytes(), "low is 2, above high 1");
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.gamma").tells_nan()); }

}  // namespace
