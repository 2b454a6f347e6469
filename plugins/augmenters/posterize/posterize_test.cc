#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("three bits, as Pillow's posterize has it; floats are cut into as many tones") {
  PictureTest test("plait.posterize");
  test.set("low", 3).set("high", 3);
  CHECK(test.bytes() == std::vector<int>{0,   32,  96,  160, 0,   96,  224, 96,  224, 128, 32,  224,
                                         160, 128, 96,  64,  64,  96,  128, 160, 192, 32,  96,  192,
                                         64,  160, 64,  224, 128, 32,  224, 192, 160, 128, 128, 128,
                                         160, 192, 0,   64,  128, 224, 64,  192, 64,  224, 128, 32,
                                         224, 192, 160, 128, 96,  128, 128, 160, 224, 0,   96,  192});
  const std::vector<float> floats = test.floats();
  for (size_t i = 0; i < 60; ++i)
    CHECK(floats[i] == static_cast<float>(std::min(7, some_picture()[i] * 8 / 255)) / 8);
}

TEST_CASE("eight bits are all; one is black or half") {
  PictureTest test("plait.posterize");
  test.set("low", 8).set("high", 8);
  CHECK(test.bytes() == some_picture());
  test.set("low", 1).set("high", 1);
  for (const int value : test.bytes()) CHECK((value == 0 || value == 128));
}

TEST_CASE("the range is in order") {
  PictureTest test("plait.posterize");
  test.set("low", 5).set("high", 4);
  CHECK_THROWS_WITH(test.bytes(), "low is 5, above high 4");
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.posterize").tells_nan()); }

}  // namespace
