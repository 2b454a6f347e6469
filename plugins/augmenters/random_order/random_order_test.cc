#include <doctest/doctest.h>
#include <plait/sdk/testing_children.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("all orders are as likely") {
  DigitsTest test(linked("plait.random_order"));
  const auto seen = test.made(12000);
  CHECK(seen.size() == 24);
  for (const auto& [order, count] : seen) CHECK(std::abs(count - 500) < 5 * 21.9);  // sqrt(12000 * 23 / 576)
}

TEST_CASE("all or none") {
  DigitsTest test(linked("plait.random_order"));
  test.settings.set("p", 0.5);
  const auto seen = test.made(4000);
  CHECK(std::abs(seen.at(0) - 2000) < 5 * 31.7);  // sqrt(4000 / 4)
}

}  // namespace
