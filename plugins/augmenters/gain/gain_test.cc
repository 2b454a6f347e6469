#include <doctest/doctest.h>
#include <plait/sdk/testing_sound.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("20 dB are ten times as much; a varying length stays") {
  SoundTest test("plait.gain", [](Settings& s) { s.set("low", 20).set("high", 20); });
  for (const int64_t bound : {int64_t{0}, int64_t{50}}) {
    const std::vector<float> made = test.made(40, bound);
    REQUIRE(made.size() == 40);
    for (size_t n = 0; n < 40; ++n) CHECK(made[n] == doctest::Approx(10 * sound_at(n)).epsilon(1e-6));
  }
}

TEST_CASE("gains of samples are as likely over the whole range") {
  SoundTest test("plait.gain", [](Settings& s) { s.set("low", -12).set("high", 6); });
  double sum = 0, least = 100, most = -100;
  for (test.sample = 0; test.sample < 2000; ++test.sample) {
    const double gain = 20 * std::log10(test.made(1)[0] / sound_at(0));
    sum += gain / 2000, least = std::min(least, gain), most = std::max(most, gain);
  }
  CHECK(std::abs(sum + 3) < 5 * 18 / std::sqrt(12 * 2000.0));
  CHECK(least >= -12.00001);
  CHECK(least < -11.9);
  CHECK(most <= 6.00001);
  CHECK(most > 5.9);
}

TEST_CASE("p, and bounds the wrong way round") {
  SoundTest test("plait.gain", [](Settings& s) { s.set("p", 0); });
  CHECK(test.made(3) == std::vector<float>{sound_at(0), sound_at(1), sound_at(2)});
  test.set = [](Settings& s) { s.set("low", 7); };
  CHECK_THROWS_WITH(test.made(3), "low is 7, above high 6");
}

}  // namespace
