#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("that share of the pixels, in all channels, of which that share is white") {
  PictureTest test("plait.salt_and_pepper");
  test.set("low", 0.3).set("high", 0.3).set("salt", 0.25);
  test.shape = {100, 100, 3};
  test.picture = std::vector<int>(30000, 99);
  const std::vector<int> made = test.bytes();
  int white = 0, black = 0;
  for (size_t i = 0; i < made.size(); i += 3) {
    CHECK((made[i] == made[i + 1] && made[i] == made[i + 2]));
    CHECK((made[i] == 0 || made[i] == 99 || made[i] == 255));
    white += made[i] == 255, black += made[i] == 0;
  }
  CHECK(std::abs(white - 750) < 5 * 26.4);   // sqrt(10000 * 0.075 * 0.925)
  CHECK(std::abs(black - 2250) < 5 * 41.8);  // sqrt(10000 * 0.225 * 0.775)
  CHECK(test.apart() < 1e-4);
}

TEST_CASE("none, and all") {
  PictureTest test("plait.salt_and_pepper");
  test.set("low", 0).set("high", 0);
  CHECK(test.bytes() == some_picture());
  test.set("low", 1).set("high", 1).set("salt", 1);
  CHECK(test.bytes() == std::vector<int>(60, 255));
  test.set("salt", 0);
  CHECK(test.bytes() == std::vector<int>(60, 0));
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.salt_and_pepper").tells_nan()); }

}  // namespace
