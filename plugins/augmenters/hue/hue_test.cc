#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("a fifth of the circle, as Python's colorsys has it") {
  PictureTest test("plait.hue");
  test.set("low", 0.2).set("high", 0.2);
  CHECK(test.bytes() == std::vector<int>{89,  11,  113, 185, 119, 15,  243, 115, 101, 241, 57,  118,
                                         138, 183, 109, 103, 91,  99,  202, 129, 223, 167, 35,  213,
                                         67,  160, 191, 116, 225, 59,  203, 253, 171, 153, 145, 145,
                                         5,   211, 82,  195, 69,  239, 87,  187, 209, 120, 235, 61,
                                         195, 251, 161, 137, 135, 127, 211, 149, 227, 151, 31,  193});
  CHECK(test.apart() < 0.5 + 1e-3);  // half a tone of rounding, and a few roundings of f32
}

TEST_CASE("a third of the circle either way exchanges the channels; grey has no hue") {
  PictureTest test("plait.hue");
  test.set("low", 1.0 / 3).set("high", 1.0 / 3);
  const std::vector<int> made = test.bytes(), from = some_picture();
  for (size_t i = 0; i < 60; i += 3)
    CHECK(std::vector<int>{made[i], made[i + 1], made[i + 2]} ==
          std::vector<int>{from[i + 2], from[i], from[i + 1]});
  test.picture = std::vector<int>(60, 99);
  CHECK(test.bytes() == std::vector<int>(60, 99));
}

TEST_CASE("half of the circle is the opposite colour, from either side") {
  for (const double half : {-0.5, 0.5}) {
    PictureTest test("plait.hue");
    test.set("low", half).set("high", half);
    for (size_t i = 0; i < 60; ++i) test.picture[i] = i % 3 == 0 ? 200 : 40;
    const std::vector<int> made = test.bytes();
    for (size_t i = 0; i < 60; ++i) CHECK(made[i] == (i % 3 == 0 ? 40 : 200));
  }
}

TEST_CASE("without colours it is refused") {
  PictureTest test("plait.hue");
  test.one_channel();
  CHECK_THROWS_WITH(test.bytes(),
                    "part \"image\" is u8[4, 15, 1], wanted [H, W, 3] of u8 or f32: red, green, blue");
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.hue").tells_nan()); }

}  // namespace
