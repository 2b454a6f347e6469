#include <doctest/doctest.h>
#include <plait/sdk/testing_sound.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

SoundTest between(int from, int to) {
  return SoundTest("plait.resample", [=](Settings& s) { s.set("from", from).set("to", to); });
}

// A tone of so many Hz, 4000 samples of it.
std::vector<float> toned(int from, int to, double hertz) {
  TestHost host;
  const Entry entry = linked("plait.resample");
  AugmenterTest test(host, entry, Settings(entry).set("from", from).set("to", to),
                     {{"sound", DType::f32, {4000}}});
  for (size_t n = 0; n < 4000; ++n)
    test.sample.inputs[0].f32()[n] =
        static_cast<float>(std::sin(2 * 3.141592653589793 * hertz * static_cast<double>(n) / from));
  test.apply();
  const auto y = test.sample.outputs[0].f32();
  return {y.begin(), y.end()};
}

TEST_CASE("at the same rate all filters but one place are 0") {
  const std::vector<float> made = between(8000, 8000).made(60, 70);
  REQUIRE(made.size() == 60);
  for (size_t n = 0; n < 60; ++n) CHECK(std::abs(made[n] - sound_at(n)) < 1e-6);
}

TEST_CASE("by hand: halfway between two samples, of one impulse") {
  TestHost host;
  const Entry entry = linked("plait.resample");
  AugmenterTest test(host, entry, Settings(entry).set("from", 1).set("to", 2), {{"sound", DType::f32, {40}}});
  std::ranges::fill(test.sample.inputs[0].f32(), 0.0f);
  test.sample.inputs[0].f32()[20] = 1;
  test.apply();
  const auto y = test.sample.outputs[0].f32();
  REQUIRE(y.size() == 80);
  CHECK(y[40] == 1);
  const double turn = 3.141592653589793 / 2;
  CHECK(y[41] == doctest::Approx(1 / turn * (0.5 + 0.5 * std::cos(turn / 16))).epsilon(1e-6));
  CHECK(y[39] == y[41]);
  CHECK(std::abs(y[42]) < 1e-9);
  CHECK(y[43] == doctest::Approx(-1 / (3 * turn) * (0.5 + 0.5 * std::cos(3 * turn / 16))).epsilon(1e-6));
}

TEST_CASE("a tone goes on at the other rate; one above half of it is gone") {
  const std::pair<int, int> rates[] = {{16000, 8000}, {8000, 11025}, {11025, 8000}, {44100, 16000}};
  for (const auto& [from, to] : rates) {
    CAPTURE(from);
    CAPTURE(to);
    const double below = 0.35 * std::min(from, to);
    const std::vector<float> made = toned(from, to, below);
    CHECK(made.size() == static_cast<size_t>((int64_t{4000} * to + from - 1) / from));
    for (size_t m = 100; m + 100 < made.size(); ++m)
      CHECK(std::abs(made[m] - std::sin(2 * 3.141592653589793 * below * static_cast<double>(m) / to)) < 2e-3);
    if (to >= from) continue;
    const std::vector<float> gone = toned(from, to, std::min(0.49 * from, 0.65 * to));
    for (size_t m = 100; m + 100 < gone.size(); ++m) CHECK(std::abs(gone[m]) < 2e-3);
  }
}

TEST_CASE("short sounds and none; rates far apart are refused") {
  CHECK(between(3, 2).made(1, 10).size() == 1);
  CHECK(between(3, 2).made(4, 10).size() == 3);
  CHECK(between(2, 3).made(3, 10).size() == 5);
  CHECK(between(2, 3).made(0, 10).empty());
  CHECK_THROWS_WITH(between(100, 6401).made(5), "rates are 100 and 6401, wanted at most 64 times each other");
}

}  // namespace
