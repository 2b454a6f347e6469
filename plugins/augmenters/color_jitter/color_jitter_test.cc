#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

#include <array>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

// The four steps by their definitions in f64, on values 0 .. 1.
using Pixels = std::vector<std::array<double, 3>>;

double bounded(double x) { return std::min(1.0, std::max(0.0, x)); }
double grey(const std::array<double, 3>& of) { return 0.299 * of[0] + 0.587 * of[1] + 0.114 * of[2]; }

void about(Pixels& of, double factor, double middle) {
  for (auto& pixel : of)
    for (double& value : pixel) value = bounded(middle + factor * (value - middle));
}
void saturate(Pixels& of, double factor) {
  for (auto& pixel : of) {
    const double middle = grey(pixel);
    for (double& value : pixel) value = bounded(middle + factor * (value - middle));
  }
}
double mean(const Pixels& of) {
  double sum = 0;
  for (const auto& pixel : of) sum += grey(pixel);
  return sum / static_cast<double>(of.size());
}
void turn(Pixels& of, double turns) {
  for (auto& pixel : of) {
    const double top = std::max({pixel[0], pixel[1], pixel[2]}),
                 spread = top - std::min({pixel[0], pixel[1], pixel[2]});
    if (spread == 0) continue;
    double hue = 0;
    if (top == pixel[0])
      hue = (pixel[1] - pixel[2]) / spread;
    else if (top == pixel[1])
      hue = 2 + (pixel[2] - pixel[0]) / spread;
    else
      hue = 4 + (pixel[0] - pixel[1]) / spread;
    hue = std::fmod(hue + 6 * turns + 12, 6);
    for (size_t c = 0; c < 3; ++c) {
      const double k = std::fmod(hue + std::array<double, 3>{5, 3, 1}[c], 6);
      pixel[c] = top - spread * std::max(0.0, std::min({k, 4 - k, 1.0}));
    }
  }
}

TEST_CASE("the four steps in the order drawn, by their definitions") {
  PictureTest test("plait.color_jitter");
  test.set("brightness", 0.3).set("contrast", 0.5).set("saturation", 0.6).set("hue", 0.2);
  for (test.sample = 0; test.sample < 40; ++test.sample) {
    Random random(7, test.sample);
    random.uniform();  // p
    const double light = random.uniform(0.7, 1.3), steep = random.uniform(0.5, 1.5),
                 strong = random.uniform(0.4, 1.6), turned = random.uniform(-0.2, 0.2);
    std::array<uint8_t, 4> order = {0, 1, 2, 3};
    random.shuffle(std::span<uint8_t>(order));
    Pixels wanted(20);
    for (size_t i = 0; i < 60; ++i) wanted[i / 3][i % 3] = test.picture[i] / 255.0;
    for (const uint8_t step : order) {
      if (step == 0) about(wanted, light, 0);
      if (step == 1) about(wanted, steep, mean(wanted));
      if (step == 2) saturate(wanted, strong);
      if (step == 3) turn(wanted, turned);
    }
    const std::vector<float> floats = test.floats();
    const std::vector<int> bytes = test.bytes();
    for (size_t i = 0; i < 60; ++i) {
      // Some twenty roundings at 6e-8; a hue's slope is 6 / spread times spread.
      CHECK(std::abs(floats[i] - wanted[i / 3][i % 3]) < 20 * 6 * 6e-8);
      CHECK(std::abs(bytes[i] - 255 * wanted[i / 3][i % 3]) < 0.5 + 1e-2);
    }
  }
}

TEST_CASE("no amount: the picture as it is; one channel has brightness and contrast") {
  PictureTest test("plait.color_jitter");
  test.set("brightness", 0).set("contrast", 0).set("saturation", 0).set("hue", 0);
  CHECK(test.bytes() == some_picture());
  test.one_channel();
  CHECK(test.bytes() == some_picture());
  test.set("contrast", 1);
  CHECK(test.bytes() != some_picture());
  test.set("hue", 0.1);
  CHECK_THROWS_WITH(
      test.bytes(),
      "part \"image\" is u8[4, 15, 1], wanted [H, W, 3] for saturation 0 and hue 0.1: set both to 0");
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.color_jitter").tells_nan()); }

}  // namespace
