#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cstring>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

Settings settings() { return Settings(linked("plait.affine")); }

struct Test {
  TestHost host;
  AugmenterTest augmenter;
  Test(const Settings& s, DType type, std::vector<int64_t> shape)
      : augmenter(host, linked("plait.affine"), s, {{"image", type, std::move(shape)}}) {}
  const TestTensor& in() { return augmenter.sample.inputs[0]; }
  const TestTensor& out() { return augmenter.sample.outputs[0]; }
  void apply(uint64_t sample) {
    augmenter.sample.rng = {7, sample};
    augmenter.apply();
  }
};

TEST_CASE("no strength: the picture as it is") {
  Test floats(settings(), DType::f32, {5, 4, 3}), bytes(settings(), DType::u8, {5, 4, 3});
  floats.in().f32()[0] = 0;
  for (size_t i = 0; i < 60; ++i) {
    floats.in().f32()[i] = static_cast<float>(i) / 7;
    bytes.in().data<uint8_t>()[i] = static_cast<uint8_t>(i * 4);
  }
  floats.apply(1), bytes.apply(1);
  CHECK(std::memcmp(floats.in().f32().data(), floats.out().f32().data(), 240) == 0);
  CHECK(std::memcmp(bytes.in().view().raw(), bytes.out().view().raw(), 60) == 0);
}

// Amounts of a range without width are no longer random: the numbers of `sample` that give a turn of nearly
// 90 degrees are found by trying; what is checked is the picture of that turn.
TEST_CASE("a turn by 90 degrees moves rows to columns") {
  Test test(settings().set("rotate", 90), DType::f32, {9, 9, 2});
  test.in().f32();
  for (size_t i = 0; i < 162; ++i) test.in().f32()[i] = static_cast<float>(i);
  uint64_t sample = 0;
  double angle = 0;
  while (angle < 89.999) angle = Random(7, ++sample).uniform(-90, 90);
  test.apply(sample);
  // Clockwise: what is in row i, column j came from row 8 - j, column i. The angle is short of 90 by 1e-3
  // degrees at most, 1.8e-5: at 4 * sqrt(2) pixels from the centre 1e-4 pixels, where neighbours differ by 20
  // at most, along two axes. Outermost pixels lose 1e-4 of at most 162 to the fill, along two axes.
  double worst = 0;
  for (size_t i = 0; i < 9; ++i) {
    for (size_t j = 0; j < 9; ++j) {
      for (size_t c = 0; c < 2; ++c) {
        const double got = test.out().f32()[(i * 9 + j) * 2 + c],
                     wanted = test.in().f32()[((8 - j) * 9 + i) * 2 + c];
        worst = std::max(worst, std::abs(got - wanted));
      }
    }
  }
  CHECK(worst < 2 * 1e-4 * (20 + 162));
  CHECK(worst > 0);
}

// A picture of 4 x 5 in room for 7 x 6, along one axis and along both: as it is alone, to the bit.
TEST_CASE("of a picture that fills its room in part what it has is turned, about its own centre") {
  const Settings s = settings().set("rotate", 40).set("translate", 2).set("shear", 10).set("fill", 0.5);
  for (const bool both : {false, true}) {
    for (uint64_t key = 0; key < 20; ++key) {
      TestHost host;
      const int64_t width = both ? 6 : 5;
      Test alone(s, DType::f32, {4, 5, 2});
      AugmenterTest room(host, linked("plait.affine"), s,
                         {{"image", DType::f32, {7, width, 2}, 0, both ? 1 : -1}});
      TestTensor& image = room.sample.inputs[0];
      image.lengths = {4};
      if (both) image.second_lengths = {5};
      std::ranges::fill(image.f32(), 1e9f);
      const auto at = [&](size_t i) { return i / 10 * static_cast<size_t>(width) * 2 + i % 10; };
      for (size_t i = 0; i < 40; ++i)
        image.f32()[at(i)] = alone.in().f32()[i] = static_cast<float>(i * 7 % 40) / 4;
      alone.apply(key);
      room.sample.rng = {7, key};
      room.apply();
      CHECK(room.sample.lengths_out[0] == 4);
      if (both) CHECK(room.sample.second_lengths_out[0] == 5);
      for (size_t i = 0; i < 40; ++i) CHECK(room.sample.outputs[0].f32()[at(i)] == alone.out().f32()[i]);
    }
  }
}

// The picture by the definition, in double.
double expected_at(Test& test, double u, double v, size_t channel, int height, int width, size_t channels) {
  double sum = 0;
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      const double near = std::max(0.0, 1 - std::abs(u - column)) * std::max(0.0, 1 - std::abs(v - row));
      const size_t place =
          (static_cast<size_t>(row) * static_cast<size_t>(width) + static_cast<size_t>(column)) * channels;
      sum += near * test.in().f32()[place + channel];
    }
  }
  return sum;
}

TEST_CASE("all amounts at once are the map of the documentation, bilinear") {
  const Settings s = settings()
                         .set("rotate", 40)
                         .set("shear", 20)
                         .set("scale_low", 0.7)
                         .set("scale_high", 1.4)
                         .set("translate", 3);
  Test test(s, DType::f32, {11, 8, 2});
  for (size_t i = 0; i < 176; ++i) test.in().f32()[i] = static_cast<float>(Random(1, 1).uniform_at(i));
  for (uint64_t sample = 0; sample < 20; ++sample) {
    test.apply(sample);
    Random random(7, sample);
    const double degree = 3.141592653589793 / 180;
    const double a = random.uniform(-40, 40) * degree, slant = random.uniform(-20, 20) * degree;
    const double size = random.uniform(0.7, 1.4), x = random.uniform(-3, 3), y = random.uniform(-3, 3);
    // Forward: [c -s; s c] [1 t; 0 1] size.
    const double c = std::cos(a), sn = std::sin(a), t = std::tan(slant);
    const double f[4] = {c * size, (c * t - sn) * size, sn * size, (sn * t + c) * size};
    const double det = f[0] * f[3] - f[1] * f[2];
    double worst = 0;
    for (size_t i = 0; i < 11; ++i) {
      for (size_t j = 0; j < 8; ++j) {
        const double dx = static_cast<double>(j) - 3.5 - x, dy = static_cast<double>(i) - 5 - y;
        const double u = (f[3] * dx - f[1] * dy) / det + 3.5, v = (-f[2] * dx + f[0] * dy) / det + 5;
        for (size_t k = 0; k < 2; ++k) {
          worst = std::max(
              worst, std::abs(test.out().f32()[(i * 8 + j) * 2 + k] - expected_at(test, u, v, k, 11, 8, 2)));
        }
      }
    }
    // Places below 30 are rounded a few times at 6e-8 relative; pixels differ by 1 at most per pixel of way.
    CHECK(worst < 2 * 30 * 5 * 6e-8);
  }
}

TEST_CASE("outside lies fill; bytes are rounded and bounded") {
  Test test(settings().set("translate", 1000).set("fill", 300), DType::u8, {4, 4, 1});
  std::fill(test.in().data<uint8_t>().begin(), test.in().data<uint8_t>().end(), uint8_t{10});
  test.apply(3);  // a shift of less than 5 pixels has a chance of 1 in 40,000
  for (const uint8_t value : test.out().data<uint8_t>()) CHECK(value == 255);
}

TEST_CASE("a sample's picture does not depend on the samples before it") {
  const Settings s = settings().set("rotate", 30).set("translate", 2);
  const auto picture = [&](std::vector<uint64_t> order) {
    Test test(s, DType::f32, {6, 6, 1});
    for (size_t i = 0; i < 36; ++i) test.in().f32()[i] = static_cast<float>(i);
    for (const uint64_t sample : order) test.apply(sample);
    return std::vector<float>(test.out().f32().begin(), test.out().f32().end());
  };
  CHECK(picture({5}) == picture({9, 2, 5}));
  CHECK(picture({5}) != picture({6}));
}

TEST_CASE("what does not fit is refused") {
  CHECK_THROWS_WITH(Test(settings(), DType::f32, {3, 3}),
                    "part \"image\" is f32[3, 3], wanted [H, W, C] of u8 or f32");
  CHECK_THROWS_WITH(Test(settings().set("scale_low", 2), DType::f32, {3, 3, 1}),
                    "scale_low is 2, above scale_high 1");
}

}  // namespace
