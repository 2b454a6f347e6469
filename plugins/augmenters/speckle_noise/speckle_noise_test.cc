#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("noise in proportion to the value") {
  PictureTest test("plait.speckle_noise");
  test.set("low", 0.1).set("high", 0.1);
  test.shape = {100, 100, 2};
  test.picture.clear();
  for (int i = 0; i < 20000; ++i) test.picture.push_back(i % 2 == 0 ? 40 : 160);
  const std::vector<float> made = test.floats();
  double squares[2] = {};
  for (size_t i = 0; i < made.size(); ++i) {
    const double n = 255 * made[i] / (i % 2 == 0 ? 40.0 : 160.0) - 1;
    squares[i % 2] += n * n;
  }
  for (const double sum : squares)
    CHECK(sum / 10000 == doctest::Approx(0.01).epsilon(5 * std::sqrt(2 / 10000.0)));
  CHECK(test.apart() < 0.5 + 1e-3);  // the same noise on bytes
}

TEST_CASE("black stays black; no deviation: the picture as it is") {
  PictureTest test("plait.speckle_noise");
  test.set("low", 5).set("high", 5);
  test.picture = std::vector<int>(60, 0);
  CHECK(test.bytes() == test.picture);
  test.set("low", 0).set("high", 0);
  test.picture = some_picture();
  CHECK(test.bytes() == some_picture());
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.speckle_noise").tells_nan()); }

}  // namespace
