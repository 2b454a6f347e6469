#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("each channel, as OpenCV's equalizeHist has it") {
  PictureTest test("plait.equalize");
  CHECK(test.bytes() == std::vector<int>{0,   13,  94,  188, 0,   107, 215, 54,  255, 121, 27,  242,
                                         174, 121, 81,  81,  40,  67,  94,  174, 201, 27,  81,  188,
                                         40,  201, 40,  201, 107, 13,  255, 228, 161, 148, 148, 134,
                                         161, 255, 0,   54,  161, 228, 67,  242, 54,  228, 134, 27,
                                         242, 215, 148, 107, 94,  121, 134, 188, 215, 13,  67,  174});
  CHECK(test.apart() < 1e-3);  // both are tones
}

TEST_CASE("a channel of one value stays, also the lightest and the darkest") {
  PictureTest test("plait.equalize");
  for (const int value : {0, 77, 255}) {
    test.picture = std::vector<int>(60, value);
    CHECK(test.bytes() == std::vector<int>(60, value));
  }
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.equalize").tells_nan()); }

}  // namespace
