#include <doctest/doctest.h>
#include <plait/sdk/testing_sound.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

SoundTest at_rate(double rate) {
  return SoundTest("plait.time_stretch",
                   [=](Settings& s) { s.set("low", rate).set("high", rate).set("window", 64); });
}

std::vector<float> sounds(size_t count) {
  std::vector<float> values;
  for (size_t n = 0; n < count; ++n) values.push_back(sound_at(n));
  return values;
}

// A tone of `period` samples, `count` of them in a part that varies up to 4000.
std::vector<float> toned(double rate, double period, int64_t count) {
  TestHost host;
  const Entry entry = linked("plait.time_stretch");
  AugmenterTest test(host, entry, Settings(entry).set("low", rate).set("high", rate).set("window", 64),
                     {{"sound", DType::f32, {4000}, 0}});
  for (size_t n = 0; n < 4000; ++n)
    test.sample.inputs[0].f32()[n] =
        static_cast<float>(std::sin(2 * 3.141592653589793 * static_cast<double>(n) / period));
  test.sample.inputs[0].lengths = {static_cast<int32_t>(count)};
  test.apply();
  const auto y = test.sample.outputs[0].f32();
  return {y.begin(), y.begin() + test.sample.lengths_out[0]};
}

TEST_CASE("at rate 1 all windows follow one another: the sound as it was") {
  const std::vector<float> made = at_rate(1).made(200, 300);
  REQUIRE(made.size() == 200);
  for (size_t n = 0; n < 200; ++n) CHECK(made[n] == doctest::Approx(sound_at(n)).epsilon(1e-6));
}

TEST_CASE("a tone is as high and as loud as before, and lasts 1 / rate times as long") {
  for (const double rate : {0.5, 0.8, 1.3, 2.0})
    for (const double period : {16.0, 23.7}) {
      CAPTURE(rate);
      CAPTURE(period);
      const std::vector<float> made = toned(rate, period, 2000);
      CHECK(made.size() == static_cast<size_t>(std::lround(2000 / rate)));
      // Away from the ends: what the tone's own period and its energy say.
      double energy = 0, product = 0;
      const size_t begin = 100, end = made.size() - 100;
      const auto lag = static_cast<size_t>(std::lround(4 * period));
      for (size_t n = begin; n + lag < end; ++n) {
        energy += static_cast<double>(made[n]) * made[n];
        product += static_cast<double>(made[n]) * made[n + lag];
      }
      const double mean = energy / static_cast<double>(end - lag - begin);
      CHECK(mean == doctest::Approx(0.5).epsilon(0.05));
      // A lag of whole samples is at most half of one beside four periods.
      CHECK(product / energy > std::cos(2 * 3.141592653589793 * 0.5 / period) - 0.05);
    }
}

TEST_CASE("of a fixed length, zeros follow or the end is cut off") {
  const std::vector<float> fast = at_rate(2).made(200), slow = at_rate(0.5).made(200);
  REQUIRE(fast.size() == 200);
  REQUIRE(slow.size() == 200);
  CHECK(std::count(fast.begin() + 100, fast.end(), 0.0f) == 100);
  const std::vector<float> whole = at_rate(0.5).made(200, 200);
  REQUIRE(whole.size() == 400);
  CHECK(std::equal(slow.begin(), slow.end(), whole.begin()));
}

TEST_CASE("short sounds, none, and silence") {
  CHECK(at_rate(0.5).made(3, 10).size() == 6);
  CHECK(at_rate(2).made(1, 10).size() == 1);
  CHECK(at_rate(2).made(0, 10).empty());
}

TEST_CASE("p, and what is refused") {
  SoundTest test("plait.time_stretch", [](Settings& s) { s.set("p", 0); });
  CHECK(test.made(50, 60) == sounds(50));
  CHECK(test.made(50) == sounds(50));
  test.set = [](Settings& s) { s.set("window", 33); };
  CHECK_THROWS_WITH(test.made(50), "window is 33, wanted an even number of samples");
  test.set = [](Settings& s) { s.set("low", 2); };
  CHECK_THROWS_WITH(test.made(50), "low is 2, above high 1.25");
}

}  // namespace
