#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("noise of that deviation, other for each value and sample") {
  PictureTest test("plait.gaussian_noise");
  test.set("low", 0.05).set("high", 0.05);
  test.shape = {100, 100, 3};
  test.picture = std::vector<int>(30000, 128);
  const std::vector<float> made = test.floats();
  double sum = 0, squares = 0, neighbours = 0;
  for (size_t i = 0; i < made.size(); ++i) {
    const double n = made[i] - 128.0 / 255;
    sum += n, squares += n * n;
    if (i > 0) neighbours += n * (made[i - 1] - 128.0 / 255);
  }
  // Five deviations of the mean, of the variance, and of what unrelated neighbours have in common.
  CHECK(std::abs(sum / 30000) < 5 * 0.05 / std::sqrt(30000.0));
  CHECK(squares / 30000 == doctest::Approx(0.0025).epsilon(5 * std::sqrt(2 / 30000.0)));
  CHECK(std::abs(neighbours / 30000) < 5 * 0.0025 / std::sqrt(30000.0));
  test.sample = 2;
  CHECK(test.floats() != made);
  CHECK(test.apart() < 0.5 + 1e-3);  // the same noise on bytes
}

TEST_CASE("no deviation: the picture as it is") {
  PictureTest test("plait.gaussian_noise");
  test.set("low", 0).set("high", 0);
  CHECK(test.bytes() == some_picture());
  test.set("low", 1);
  CHECK_THROWS_WITH(test.bytes(), "low is 1, above high 0");
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.gaussian_noise").tells_nan()); }

}  // namespace
