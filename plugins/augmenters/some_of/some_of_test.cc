#include <doctest/doctest.h>
#include <plait/sdk/testing_children.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("all pairs are as likely, in the order in which they stand") {
  DigitsTest test(linked("plait.some_of"));
  test.settings.set("low", 2).set("high", 2);
  const auto seen = test.made(6000);
  CHECK(seen.size() == 6);
  for (const int64_t pair : {12, 13, 14, 23, 24, 34})
    CHECK(std::abs(seen.at(pair) - 1000) < 5 * 28.9);  // sqrt(6000 * 5 / 36)
}

TEST_CASE("in the order drawn") {
  DigitsTest test(linked("plait.some_of"));
  test.settings.set("low", 2).set("high", 2).set("in_order", false);
  const auto seen = test.made(6000);
  CHECK(seen.size() == 12);
  for (const auto& [pair, count] : seen) CHECK(std::abs(count - 500) < 5 * 21.4);  // sqrt(6000 * 11 / 144)
}

TEST_CASE("from none to all; how many is drawn first") {
  DigitsTest test(linked("plait.some_of"));
  test.settings.set("low", 0).set("high", 4);
  const auto seen = test.made(5000);
  CHECK(std::abs(seen.at(0) - 1000) < 5 * 28.3);  // sqrt(5000 * 4 / 25)
  CHECK(std::abs(seen.at(1234) - 1000) < 5 * 28.3);
  CHECK(seen.size() == 16);
}

TEST_CASE("more than there are is refused") {
  DigitsTest test(linked("plait.some_of"));
  test.settings.set("high", 5);
  CHECK_THROWS_WITH(test.made(1), "high is 5, and some_of has 4 augmenters to choose from");
  test.settings.set("high", 2).set("low", 3);
  CHECK_THROWS_WITH(test.made(1), "low is 3, above high 2");
}

}  // namespace
