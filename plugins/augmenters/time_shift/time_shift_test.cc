#include <doctest/doctest.h>
#include <plait/sdk/testing_sound.hpp>

#include <cmath>
#include <map>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

SoundTest shifted(double by, bool wrap) {
  return SoundTest("plait.time_shift",
                   [=](Settings& s) { s.set("low", by).set("high", by).set("wrap", wrap); });
}

// sound_at of these, in order; -1: 0.
std::vector<float> sounds(const std::vector<int>& places) {
  std::vector<float> values;
  for (const int n : places) values.push_back(n < 0 ? 0 : sound_at(static_cast<size_t>(n)));
  return values;
}

TEST_CASE("by hand: later, earlier, around, all of it, by the sample's own length") {
  CHECK(shifted(0.25, false).made(8) == sounds({-1, -1, 0, 1, 2, 3, 4, 5}));
  CHECK(shifted(-0.25, false).made(8) == sounds({2, 3, 4, 5, 6, 7, -1, -1}));
  CHECK(shifted(0.25, true).made(8) == sounds({6, 7, 0, 1, 2, 3, 4, 5}));
  CHECK(shifted(-0.25, true).made(8) == sounds({2, 3, 4, 5, 6, 7, 0, 1}));
  CHECK(shifted(1, false).made(3) == sounds({-1, -1, -1}));
  CHECK(shifted(-1, true).made(3) == sounds({0, 1, 2}));
  CHECK(shifted(0.25, true).made(4, 9) == sounds({3, 0, 1, 2}));
  CHECK(shifted(0.25, true).made(0, 9).empty());
}

TEST_CASE("rows move as a whole") {
  SoundTest test = shifted(0.5, false);
  test.columns = {2};
  CHECK(test.made(4) == sounds({-1, -1, -1, -1, 0, 1, 2, 3}));
}

TEST_CASE("shifts of samples are as likely over the whole range") {
  SoundTest test("plait.time_shift",
                 [](Settings& s) { s.set("low", -0.3).set("high", 0.5).set("wrap", true); });
  std::map<std::vector<float>, int> counts;
  for (test.sample = 0; test.sample < 4000; ++test.sample) ++counts[test.made(10)];
  // -3 to 5; the outermost are half as likely.
  CHECK(counts.size() == 9);
  for (const auto& [made, count] : counts) {
    const bool is_outer = made == shifted(-0.3, true).made(10) || made == shifted(0.5, true).made(10);
    const double wanted = is_outer ? 250 : 500;
    CHECK(std::abs(count - wanted) < 5 * std::sqrt(wanted));
  }
}

TEST_CASE("p, and what is refused") {
  SoundTest test("plait.time_shift", [](Settings& s) { s.set("p", 0).set("low", 0.1); });
  CHECK(test.made(3) == sounds({0, 1, 2}));
  test.set = [](Settings& s) { s.set("low", 0.2); };
  CHECK_THROWS_WITH(test.made(3), "low is 0.2, above high 0.1");
}

}  // namespace
