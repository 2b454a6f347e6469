#include <doctest/doctest.h>
#include <plait/sdk/testing_sound.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

double energy_of(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * value;
  return sum;
}

TEST_CASE("noise is as loud as the ratio says, by what the sample has") {
  SoundTest test("plait.mix_noise", [](Settings& s) { s.set("low", 20).set("high", 20); });
  for (const int64_t bound : {int64_t{0}, int64_t{30'000}}) {
    std::vector<float> noise = test.made(20'000, bound), sound;
    REQUIRE(noise.size() == 20'000);
    for (size_t n = 0; n < noise.size(); ++n) sound.push_back(sound_at(n)), noise[n] -= sound[n];
    // Five deviations of the energy of 20,000 normal numbers.
    CHECK(energy_of(noise) / energy_of(sound) == doctest::Approx(0.01).epsilon(5 * std::sqrt(2 / 20'000.0)));
    double neighbours = 0;
    for (size_t n = 1; n < noise.size(); ++n) neighbours += static_cast<double>(noise[n]) * noise[n - 1];
    CHECK(std::abs(neighbours) / energy_of(noise) < 5 / std::sqrt(20'000.0));
  }
}

TEST_CASE("other noise for each sample, the same for the same one") {
  SoundTest test("plait.mix_noise");
  const std::vector<float> one = test.made(50);
  CHECK(test.made(50) == one);
  test.sample = 2;
  CHECK(test.made(50) != one);
}

TEST_CASE("silence stays silent; p, and bounds the wrong way round") {
  TestHost host;
  const Entry entry = linked("plait.mix_noise");
  AugmenterTest silent(host, entry, Settings(entry), {{"sound", DType::f32, {20}}});
  std::ranges::fill(silent.sample.inputs[0].f32(), 0.0f);
  silent.apply();
  for (const float value : silent.sample.outputs[0].f32()) CHECK(value == 0);
  SoundTest test("plait.mix_noise", [](Settings& s) { s.set("p", 0); });
  CHECK(test.made(2) == std::vector<float>{sound_at(0), sound_at(1)});
  CHECK(test.made(0, 9).empty());
  test.set = [](Settings& s) { s.set("low", 31); };
  CHECK_THROWS_WITH(test.made(2), "low is 31, above high 30");
}

}  // namespace
