#include <doctest/doctest.h>
#include <plait/sdk/testing_sound.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

void small(Settings& s) {
  s.set("window", 32).set("hop", 16).set("filters", 4).set("rate", 8000).set("low", 100).set("high", 4000);
  s.set("coefficients", 3);
}

TEST_CASE("the cosine transform of log-mel energies, as SciPy has it") {
  SoundTest test("plait.mfcc", small);
  const std::vector<float> made = test.made(64);
  CHECK(test.rows == 3);
  check_rounded_once(made, {4.55561098f, -0.716400726f, -1.32466757f, 4.51359033f, -0.764844804f,
                            -1.27617638f, 4.44156844f, -0.838481645f, -1.20201053f});
  CHECK(test.made(64, 100) == made);
}

TEST_CASE("more coefficients than filters are refused") {
  CHECK_THROWS_WITH(SoundTest("plait.mfcc", [](Settings& s) { small(s), s.set("coefficients", 5); }).made(64),
                    "coefficients is 5, more than the 4 filters");
}

}  // namespace
