#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("as Pillow's solarize has it, from 128 on") {
  PictureTest test("plait.solarize");
  test.set("low", 128.0 / 255).set("high", 128.0 / 255);
  CHECK(test.bytes() == std::vector<int>{11, 55,  113, 70,  15,  115, 26,  101, 12, 112, 57,  14,
                                         72, 116, 109, 93,  91,  103, 126, 86,  32, 35,  117, 42,
                                         67, 64,  73,  30,  120, 59,  2,   50,  84, 104, 110, 102,
                                         80, 44,  5,   69,  108, 16,  89,  46,  87, 20,  114, 61,
                                         4,  56,  94,  118, 127, 124, 106, 74,  28, 31,  105, 62});
  CHECK(test.apart() < 0.5 + 1e-3);  // half a tone of rounding, and a few roundings of f32
}

TEST_CASE("a threshold of 0 inverts all; one of 1 white alone") {
  PictureTest test("plait.solarize");
  test.set("low", 0).set("high", 0);
  test.picture = std::vector<int>(60, 255);
  test.picture[7] = 3;
  std::vector<int> wanted(60, 0);
  wanted[7] = 252;
  CHECK(test.bytes() == wanted);
  test.set("low", 1).set("high", 1);
  wanted[7] = 3;
  CHECK(test.bytes() == wanted);
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.solarize").tells_nan()); }

}  // namespace
