#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("as OpenCV's bitwise_not has it") {
  PictureTest test("plait.invert");
  CHECK(test.bytes() == std::vector<int>{244, 200, 142, 70,  240, 140, 26,  154, 12,  112, 198, 14,
                                         72,  116, 146, 162, 164, 152, 126, 86,  32,  220, 138, 42,
                                         188, 64,  182, 30,  120, 196, 2,   50,  84,  104, 110, 102,
                                         80,  44,  250, 186, 108, 16,  166, 46,  168, 20,  114, 194,
                                         4,   56,  94,  118, 128, 124, 106, 74,  28,  224, 150, 62});
  CHECK(test.apart() < 0.5 + 1e-3);  // half a tone of rounding, and a few roundings of f32
}

TEST_CASE("no chance: the picture as it is") {
  PictureTest test("plait.invert");
  test.set("p", 0);
  CHECK(test.bytes() == some_picture());
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.invert").tells_nan()); }

}  // namespace
