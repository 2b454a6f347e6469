#include <doctest/doctest.h>
#include <plait/sdk/testing_sound.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

void small(Settings& s) {
  s.set("window", 32).set("hop", 16).set("filters", 4).set("rate", 8000).set("low", 100).set("high", 4000);
}

TEST_CASE("logarithms of energies below triangles, as NumPy has them") {
  SoundTest test("plait.log_mel", small);
  const std::vector<float> made = test.made(64);
  CHECK(test.rows == 3);
  check_rounded_once(made, {1.00696529f, 3.08546778f, 2.79481077f, 2.22397812f, 0.972179002f, 3.04249103f,
                            2.74727567f, 2.26523495f, 0.915151814f, 2.97359782f, 2.66998115f, 2.32440609f});
  CHECK(test.made(64, 100) == made);
}

TEST_CASE("silence is the logarithm of the floor; what is no number stays none") {
  TestHost host;
  const Entry entry = linked("plait.log_mel");
  Settings settings(entry);
  small(settings);
  AugmenterTest test(host, entry, settings.set("floor", 1e-4), {{"sound", DType::f32, {32}}});
  std::ranges::fill(test.sample.inputs[0].f32(), 0.0f);
  test.apply();
  for (const float value : test.sample.outputs[0].f32())
    CHECK(value == doctest::Approx(std::log(1e-4)).epsilon(1e-6));
  test.sample.inputs[0].f32()[5] = std::numeric_limits<float>::quiet_NaN();
  test.apply();
  for (const float value : test.sample.outputs[0].f32()) CHECK(std::isnan(value));
}

TEST_CASE("bounds that cannot be are refused") {
  const auto with = [](const char* field, double value) {
    return [=](Settings& s) {
      small(s);
      s.set(field, value);
    };
  };
  CHECK_THROWS_WITH(SoundTest("plait.log_mel", with("high", 5000)).made(64),
                    "high is 5000, above half of the rate, 4000");
  CHECK_THROWS_WITH(SoundTest("plait.log_mel", with("low", 4000)).made(64),
                    "low is 4000, wanted below high, 4000");
  CHECK_THROWS_WITH(SoundTest("plait.log_mel", [](Settings& s) { small(s), s.set("filters", 40); }).made(64),
                    doctest::Contains("lies between two bins of the spectrum, which are 250 Hz apart"));
}

}  // namespace
