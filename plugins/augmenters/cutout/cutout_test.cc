#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("a square about every pixel, all as likely, cut at the edge") {
  PictureTest test("plait.cutout");
  test.set("size", 2).set("fill", 1);
  test.shape = {3, 4, 1};
  test.picture = std::vector<int>(12, 7);
  int hidden[12] = {};
  for (test.sample = 0; test.sample < 1200; ++test.sample) {
    const std::vector<int> made = test.bytes();
    int count = 0;
    for (size_t i = 0; i < 12; ++i) {
      CHECK((made[i] == 7 || made[i] == 255));
      hidden[i] += made[i] == 255;
      count += made[i] == 255;
    }
    CHECK((count == 4 || count == 2 || count == 1));
  }
  // The first pixel is hidden by a square about itself alone, the last one by four.
  CHECK(std::abs(hidden[0] - 100) < 5 * 9.6);    // sqrt(1200 * 11 / 144)
  CHECK(std::abs(hidden[11] - 400) < 5 * 16.4);  // sqrt(1200 * 2 / 9)
}

TEST_CASE("a square that is larger than the picture can hide all of it") {
  PictureTest test("plait.cutout");
  test.set("size", 100);
  CHECK(test.bytes() == std::vector<int>(60, 0));
  test.set("p", 0);
  CHECK(test.bytes() == some_picture());
}

TEST_CASE("several squares") {
  PictureTest test("plait.cutout");
  test.set("size", 1).set("count", 1000);
  CHECK(test.bytes() == std::vector<int>(60, 0));  // a pixel is missed by all with a chance of 1e-22
}

}  // namespace
