#include <doctest/doctest.h>
#include <plait/sdk/testing_sound.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

void small(Settings& s) { s.set("window", 10).set("hop", 5); }
const std::vector<float> numpys = {
    0.467879236f, 0.653954327f,  0.662730455f,  0.549592555f,  0.758993924f,  0.868112266f,  0.976133406f,
    0.573026299f, 0.0941657498f, 0.0166136939f, 0.159421399f,  0.202096894f,  0.0160473567f, 0.493433148f,
    1.39690042f,  1.10167456f,   0.267435312f,  0.0503489077f, 0.0566742606f, 1.44262993f,   3.51455736f,
    2.91809797f,  0.855444908f,  0.302993178f,  0.498747706f,  0.71101743f,   0.918827832f};

TEST_CASE("rows are those of NumPy's rfft, of windows that zeros follow") {
  SoundTest test("plait.spectrogram", small);
  check_rounded_once(test.made(20), numpys);
  CHECK(test.rows == 3);
  test.set = [](Settings& s) { small(s), s.set("of", "magnitude"); };
  std::vector<float> squares = test.made(20);
  for (float& value : squares) value *= value;
  check_rounded_once(squares, numpys);
}

TEST_CASE("by hand: two samples weighed by 0 and 1 are one impulse, of power 1 at each frequency") {
  SoundTest test("plait.spectrogram", [](Settings& s) { s.set("window", 2).set("hop", 1); });
  const float one = sound_at(1) * sound_at(1), two = sound_at(2) * sound_at(2);
  check_rounded_once(test.made(3), {one, one, one, two, two, two});
}

TEST_CASE("a tone lies in its column, and the power of all columns is that of the samples") {
  TestHost host;
  const Entry entry = linked("plait.spectrogram");
  AugmenterTest test(host, entry, Settings(entry).set("window", 256).set("hop", 256),
                     {{"sound", DType::f32, {256}}});
  double energy = 0;
  auto x = test.sample.inputs[0].f32();
  for (size_t n = 0; n < 256; ++n) {
    x[n] = static_cast<float>(std::cos(2 * 3.141592653589793 * 20 * static_cast<double>(n) / 256));
    const double weighed =
        x[n] * (0.5 - 0.5 * std::cos(2 * 3.141592653589793 * static_cast<double>(n) / 256));
    energy += weighed * weighed;
  }
  test.apply();
  const auto y = test.sample.outputs[0].f32();
  REQUIRE(y.size() == 129);
  // Parseval: all columns but the first and the last stand for two.
  double sum = y[0] + y[128];
  for (size_t k = 1; k < 128; ++k) sum += 2.0 * y[k];
  CHECK(sum / 256 == doctest::Approx(energy).epsilon(1e-6));
  CHECK(y[20] == doctest::Approx(64.0 * 64).epsilon(1e-5));
  CHECK(y[19] == doctest::Approx(32.0 * 32).epsilon(1e-5));
  CHECK(y[40] < 1e-6);
}

TEST_CASE("of a varying length, the sample's own rows; of a short sound one, as if zeros followed") {
  SoundTest test("plait.spectrogram", small);
  const std::vector<float> whole = test.made(20);
  CHECK(test.made(20, 60) == whole);
  CHECK(test.made(24, 60) == whole);
  CHECK(test.made(25, 60).size() == 36);
  CHECK(test.rows == 4);
  const std::vector<float> seven = {0.364749485f, 0.540850686f, 0.873802596f, 0.944532764f, 0.656796094f,
                                    0.417638465f, 0.426879625f, 0.445524715f, 0.417387147f};
  check_rounded_once(test.made(7, 60), seven);
  check_rounded_once(test.made(7), seven);
  CHECK(test.made(0, 60) == std::vector<float>(9, 0.0f));
}

TEST_CASE("what is no sound is refused") {
  TestHost host;
  const Entry entry = linked("plait.spectrogram");
  CHECK_THROWS_WITH(AugmenterTest(host, entry, Settings(entry), {{"sound", DType::f32, {9, 2}}}),
                    "part \"sound\" is f32[9, 2], wanted a sound: f32[samples]");
  CHECK_THROWS_WITH(AugmenterTest(host, entry, Settings(entry), {{"sound", DType::u8, {9}}}),
                    "part \"sound\" is u8[9], wanted a sound: f32[samples]");
}

}  // namespace
