#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

#include <array>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

PictureTest smooth(int height, int width, int64_t tiles, double limit) {
  PictureTest test("plait.clahe");
  test.shape = {height, width, 1};
  test.picture.clear();
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) test.picture.push_back((y * y * 3 + x * 5 + x * y % 7) / 4 % 200);
  test.set("tiles", tiles).set("low", limit).set("high", limit);
  return test;
}

// Tones that lie halfway between two are rounded upwards here, and to the even one there.
void check_near(const std::vector<int>& made, const std::vector<int>& wanted) {
  REQUIRE(made.size() == wanted.size());
  int others = 0;
  for (size_t i = 0; i < made.size(); ++i) {
    CHECK(std::abs(made[i] - wanted[i]) <= 1);
    others += made[i] != wanted[i];
  }
  CHECK(others * 10 < static_cast<int>(made.size()));
}

TEST_CASE("as OpenCV's createCLAHE has it, with tiles that reach beyond the picture and without") {
  check_near(smooth(10, 11, 3, 30).bytes(),
             {32,  48,  64,  64,  72,  68,  64,  64,  72,  68,  64,  32,  64,  80,  92,  88,  96,  96,  76,
              88,  80,  96,  80,  96,  128, 127, 112, 124, 128, 108, 112, 124, 128, 100, 111, 123, 126, 125,
              118, 123, 114, 114, 116, 111, 104, 112, 112, 114, 108, 110, 112, 104, 100, 94,  96,  104, 116,
              128, 118, 114, 116, 112, 111, 104, 94,  96,  128, 143, 159, 159, 152, 151, 159, 151, 136, 128,
              128, 151, 167, 183, 183, 175, 175, 183, 178, 165, 160, 163, 168, 176, 184, 185, 183, 185, 199,
              177, 171, 163, 160, 179, 191, 215, 218, 209, 209, 215, 197, 185, 188, 191});
  check_near(smooth(12, 12, 4, 60).bytes(),
             {57,  85,  123, 128, 132, 146, 114, 109, 142, 128, 109, 113, 57,  142, 174, 170, 184, 203,
              184, 156, 194, 156, 161, 198, 165, 189, 205, 206, 195, 201, 203, 194, 193, 194, 215, 212,
              142, 156, 163, 156, 172, 163, 163, 158, 163, 163, 158, 170, 137, 184, 172, 172, 165, 172,
              172, 165, 176, 160, 165, 184, 165, 189, 205, 189, 193, 205, 189, 193, 205, 189, 193, 212,
              142, 156, 163, 156, 158, 163, 156, 158, 163, 156, 158, 170, 137, 161, 172, 160, 165, 172,
              160, 165, 172, 160, 165, 184, 165, 189, 201, 189, 193, 201, 201, 173, 201, 189, 193, 212,
              142, 156, 163, 163, 158, 163, 163, 158, 163, 156, 170, 170, 137, 161, 176, 160, 184, 172,
              172, 165, 172, 160, 165, 184, 198, 255, 241, 226, 232, 241, 241, 232, 241, 226, 232, 255});
}

TEST_CASE("one tile and no limit is an even histogram") {
  PictureTest test("plait.clahe");
  test.shape = {2, 4, 1};
  test.picture = {10, 20, 30, 40, 50, 60, 70, 80};
  test.set("tiles", 1).set("low", 1000).set("high", 1000);
  CHECK(test.bytes() == std::vector<int>{32, 64, 96, 128, 159, 191, 223, 255});  // 255 k / 8
}

TEST_CASE("no tone is raised by more than the limit and what is dealt out") {
  PictureTest test = smooth(64, 64, 1, 1);
  const std::vector<int> made = test.bytes();
  std::array<int, 256> of;
  of.fill(-1);
  for (size_t i = 0; i < made.size(); ++i) of[static_cast<size_t>(test.picture[i])] = made[i];
  // Of 4096 pixels 16 a tone stay, and at most as many and one are dealt out to each: 33 255 / 4096.
  int tried = 0;
  for (size_t tone = 0, last = 256; tone < 256; ++tone) {
    if (of[tone] < 0) continue;
    if (last < 256) {
      CHECK(of[tone] >= of[last]);
      CHECK(of[tone] - of[last] <= 2.06 * static_cast<double>(tone - last) + 1);
      ++tried;
    }
    last = tone;
  }
  CHECK(tried > 100);
}

TEST_CASE("colours keep their differences, other channels are each their own") {
  PictureTest grey = smooth(12, 12, 4, 3), colours("plait.clahe");
  colours.set("tiles", 4).set("low", 3).set("high", 3);
  colours.shape = {12, 12, 3};
  colours.picture.clear();
  for (const int value : grey.picture)
    for (int c = 0; c < 3; ++c) colours.picture.push_back(value);
  const std::vector<int> one = grey.bytes(), three = colours.bytes();
  for (size_t i = 0; i < one.size(); ++i)
    for (size_t c = 0; c < 3; ++c) CHECK(std::abs(three[3 * i + c] - one[i]) <= 1);
  PictureTest two = grey;
  two.shape = {12, 12, 2};
  two.picture.clear();
  for (const int value : grey.picture) two.picture.push_back(value), two.picture.push_back(99);
  const std::vector<int> both = two.bytes();
  for (size_t i = 0; i < one.size(); ++i) CHECK(both[2 * i] == one[i]);
}

TEST_CASE("floats are of 256 tones, what is no number is not hidden, and a chance of 0 changes nothing") {
  CHECK(smooth(12, 12, 4, 3).apart() < 0.51);
  PictureTest test("plait.clahe");
  CHECK(test.tells_nan());
  CHECK(PictureTest("plait.clahe").one_channel().tells_nan());
  test.set("p", 0);
  CHECK(test.bytes() == some_picture());
}

TEST_CASE("more tiles than pixels") {
  PictureTest test("plait.clahe");
  test.shape = {1, 1, 60};
  test.set("tiles", 64);
  CHECK(test.bytes().size() == 60);
}

}  // namespace
