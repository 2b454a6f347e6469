#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

int tone(int y, int x) { return (y * y * 3 + x * 5 + x * y % 7) / 4 % 200; }

PictureTest picture(int channels, double quality) {
  PictureTest test("plait.jpeg_compression");
  test.shape = {12, 14, channels};
  test.picture.clear();
  for (int y = 0; y < 12; ++y)
    for (int x = 0; x < 14; ++x) {
      test.picture.push_back(tone(y, x));
      if (channels == 1) continue;
      test.picture.push_back(tone(11 - y, x));
      test.picture.push_back(255 - tone(y, x));
    }
  test.set("low", quality).set("high", quality);
  return test;
}

// Other versions of libjpeg may round in other ways.
void check_near(const std::vector<int>& made, const std::vector<int>& wanted) {
  REQUIRE(made.size() == wanted.size());
  for (size_t i = 0; i < made.size(); ++i) CHECK(std::abs(made[i] - wanted[i]) <= 2);
}

double mean_change(const PictureTest& test) {
  const std::vector<int> made = test.bytes();
  double sum = 0;
  for (size_t i = 0; i < made.size(); ++i) sum += std::abs(made[i] - test.picture[i]);
  return sum / static_cast<double>(made.size());
}

TEST_CASE("as Pillow writes and reads it") {
  check_near(picture(1, 40).bytes(),
             {0,  0,  0,  2,  4,  5,  7,  8,  10, 11, 11, 12, 13, 14,  2,   2,   4,   6,   8,   9,   11,
              11, 14, 15, 15, 16, 17, 18, 6,  7,  8,  10, 12, 14, 15,  16,  19,  19,  20,  21,  22,  22,
              9,  10, 11, 13, 15, 16, 18, 19, 21, 22, 22, 23, 24, 25,  12,  12,  14,  15,  17,  19,  21,
              21, 24, 24, 25, 26, 27, 28, 18, 18, 20, 22, 23, 25, 27,  27,  30,  30,  31,  32,  33,  34,
              27, 28, 29, 31, 33, 35, 36, 37, 39, 40, 40, 41, 42, 43,  34,  35,  36,  38,  40,  42,  43,
              44, 47, 47, 48, 49, 50, 51, 48, 49, 50, 52, 54, 56, 57,  58,  58,  58,  59,  60,  61,  62,
              61, 62, 63, 65, 67, 69, 70, 71, 71, 71, 72, 73, 74, 75,  78,  79,  80,  82,  84,  86,  87,
              88, 88, 89, 89, 90, 91, 92, 91, 91, 93, 94, 96, 98, 100, 100, 100, 101, 102, 102, 103, 104});
  check_near(picture(3, 75).bytes(),
             {4,  86, 255, 5,  87, 255, 5,  87, 255, 7,  90, 255, 9,  90,  255, 10, 92,  255, 11, 93,  255,
              11, 94, 252, 15, 95, 252, 16, 97, 249, 18, 98, 249, 20, 100, 247, 20, 100, 247, 21, 102, 246,
              2,  77, 254, 3,  78, 255, 3,  79, 253, 5,  81, 253, 7,  81,  254, 8,  83,  252, 9,  84,  251,
              9,  85, 248, 13, 87, 248, 14, 88, 245, 16, 89, 244, 18, 92,  243, 18, 92,  241, 19, 93,  242,
              0,  64, 249, 1,  65, 250, 2,  66, 249, 3,  68, 248, 6,  68,  249, 7,  70,  246, 8,  71,  246,
              8,  72, 242, 11, 73, 242, 12, 75, 240, 15, 77, 240, 16, 78,  237, 17, 80,  237, 17, 80,  235,
              3,  50, 242, 4,  51, 243, 5,  52, 244, 6,  53, 244, 7,  55,  243, 10, 56,  240, 11, 57,  239,
              12, 59, 237, 14, 61, 237, 15, 61, 234, 17, 63, 234, 18, 65,  233, 21, 66,  230, 19, 67,  229,
              11, 38, 239, 11, 39, 237, 12, 40, 238, 13, 41, 238, 14, 42,  237, 17, 44,  237, 17, 44,  235,
              18, 46, 233, 20, 48, 233, 23, 49, 230, 24, 51, 230, 25, 52,  227, 27, 53,  226, 26, 54,  224,
              20, 28, 233, 20, 29, 232, 22, 29, 233, 23, 30, 232, 24, 32,  231, 26, 34,  231, 27, 34,  228,
              28, 35, 227, 30, 38, 225, 31, 39, 225, 34, 40, 222, 35, 42,  221, 36, 43,  220, 36, 43,  219,
              32, 18, 225, 32, 19, 223, 33, 20, 224, 34, 21, 223, 35, 23,  221, 36, 24,  220, 38, 25,  219,
              39, 26, 219, 41, 29, 217, 42, 30, 214, 45, 31, 214, 46, 32,  213, 47, 34,  210, 47, 34,  210,
              43, 12, 214, 43, 12, 214, 44, 13, 213, 45, 14, 213, 46, 16,  212, 47, 17,  209, 49, 18,  208,
              50, 19, 208, 52, 22, 206, 53, 24, 204, 55, 24, 203, 56, 26,  202, 57, 27,  201, 57, 27,  200,
              52, 6,  201, 52, 6,  201, 54, 7,  201, 55, 8,  200, 56, 9,   199, 58, 12,  198, 60, 12,  196,
              61, 13, 193, 62, 15, 193, 63, 16, 190, 65, 17, 189, 66, 18,  188, 67, 20,  188, 67, 20,  186,
              63, 4,  192, 63, 4,  192, 64, 5,  191, 66, 6,  190, 67, 7,   190, 69, 10,  188, 69, 10,  186,
              71, 11, 184, 72, 13, 183, 73, 14, 180, 76, 15, 180, 77, 16,  179, 78, 18,  178, 78, 18,  176,
              71, 3,  184, 72, 5,  183, 73, 6,  182, 75, 7,  182, 76, 8,   181, 77, 9,   180, 78, 11,  179,
              79, 11, 176, 80, 12, 175, 81, 14, 172, 84, 14, 172, 86, 17,  170, 87, 18,  169, 87, 18,  169,
              77, 4,  181, 77, 4,  179, 78, 5,  180, 79, 7,  177, 81, 7,   178, 82, 9,   176, 83, 10,  175,
              84, 12, 172, 87, 13, 172, 88, 14, 169, 90, 15, 168, 91, 17,  166, 92, 18,  167, 92, 18,  165});
}

TEST_CASE("the lower the quality, the farther from the picture") {
  for (const int channels : {1, 3}) {
    const double best = mean_change(picture(channels, 100)), good = mean_change(picture(channels, 80));
    const double bad = mean_change(picture(channels, 10)), worst = mean_change(picture(channels, 1));
    CHECK(best < good);
    CHECK(good < bad);
    CHECK(bad < worst);
  }
  CHECK(mean_change(picture(1, 100)) < 1);
}

TEST_CASE("floats are of 256 tones, what is no number is not hidden, and a chance of 0 changes nothing") {
  CHECK(picture(3, 50).apart() < 1e-3);
  CHECK(PictureTest("plait.jpeg_compression").tells_nan());
  PictureTest test("plait.jpeg_compression");
  test.set("p", 0);
  CHECK(test.bytes() == some_picture());
}

TEST_CASE("noise at the highest quality has room enough") {
  PictureTest test("plait.jpeg_compression");
  for (const int64_t channels : {1, 3}) {
    test.shape = {63, 65, channels};
    test.picture.clear();
    Random random(1, 2);
    for (int64_t i = 0; i < 63 * 65 * channels; ++i) test.picture.push_back(random.integer(2) == 0 ? 0 : 255);
    test.set("low", 100).set("high", 100);
    CHECK(test.bytes().size() == test.picture.size());
  }
}

TEST_CASE("pictures of two channels are refused") {
  PictureTest test("plait.jpeg_compression");
  test.shape = {5, 6, 2};
  CHECK_THROWS_WITH(test.bytes(), "part \"image\" has 2 channels, wanted 1 or 3");
}

}  // namespace
