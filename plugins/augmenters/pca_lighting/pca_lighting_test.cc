#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("one light along the directions, normal in each") {
  PictureTest test("plait.pca_lighting");
  test.set("deviation", 0.05).set("spread", 1.0).settings.add("spread", 0.0).add("spread", 0.0);
  test.set("direction", 1.0).settings.add("direction", 0.5).add("direction", -1.0);
  for (int i = 0; i < 6; ++i) test.settings.add("direction", 0.25);
  test.picture = std::vector<int>(60, 128);
  double sum = 0, squares = 0;
  constexpr int kSamples = 2000;
  for (int s = 0; s < kSamples; ++s) {
    test.sample = static_cast<uint64_t>(s);
    const std::vector<float> made = test.floats();
    const double light = made[0] - 128.0 / 255;
    for (size_t i = 0; i < 60; ++i)
      CHECK(made[i] - 128.0 / 255 == doctest::Approx(light * (i % 3 == 0   ? 1
                                                              : i % 3 == 1 ? 0.5
                                                                           : -1))
                                         .epsilon(1e-4));
    sum += light, squares += light * light;
  }
  CHECK(std::abs(sum / kSamples) < 5 * 0.05 / std::sqrt(kSamples));
  CHECK(squares / kSamples == doctest::Approx(0.0025).epsilon(5 * std::sqrt(2.0 / kSamples)));
}

TEST_CASE("directions and spreads of another number are refused") {
  PictureTest test("plait.pca_lighting");
  test.set("spread", 1.0);
  CHECK_THROWS_WITH(test.bytes(), "spread has 1 values, wanted 3");
}

TEST_CASE("without colours it is refused") {
  PictureTest test("plait.pca_lighting");
  test.one_channel();
  CHECK_THROWS_WITH(test.bytes(),
                    "part \"image\" is u8[4, 15, 1], wanted [H, W, 3] of u8 or f32: red, green, blue");
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.pca_lighting").tells_nan()); }

}  // namespace
