#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("brightness in all three channels, as OpenCV's cvtColor has it") {
  PictureTest test("plait.grayscale");
  const std::vector<int> grey{48,  77,  155, 104, 149, 93,  163, 103, 140, 153,
                              215, 148, 177, 134, 159, 160, 210, 130, 177, 93},
      made = test.bytes();
  for (size_t i = 0; i < 60; ++i) CHECK(made[i] == grey[i / 3]);
  CHECK(test.apart() < 0.5 + 1e-3);  // half a tone of rounding, and a few roundings of f32
}

TEST_CASE("grey stays as it is, to the bit") {
  PictureTest test("plait.grayscale");
  for (int i = 0; i < 60; ++i) test.picture[static_cast<size_t>(i)] = i / 3 * 12;
  const std::vector<float> made = test.floats();
  for (size_t i = 0; i < 60; ++i) CHECK(made[i] == static_cast<float>(test.picture[i]) / 255);
}

TEST_CASE("without colours it is refused") {
  PictureTest test("plait.grayscale");
  test.one_channel();
  CHECK_THROWS_WITH(test.bytes(),
                    "part \"image\" is u8[4, 15, 1], wanted [H, W, 3] of u8 or f32: red, green, blue");
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.grayscale").tells_nan()); }

}  // namespace
