#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

// By the definition, in f64, as sums over both axes.
std::vector<double> defined(const std::vector<double>& x, int height, int width, int channels,
                            double radius) {
  const int reach = static_cast<int>(std::ceil(3 * radius));
  std::vector<double> taps;
  double all = 0;
  for (int k = -reach; k <= reach; ++k)
    taps.push_back(std::exp(-0.5 * k * k / (radius * radius))), all += taps.back();
  const auto reflected = [](int at, int extent) {
    const int period = std::max(1, 2 * (extent - 1));
    at = (at % period + period) % period;
    return at < extent ? at : period - at;
  };
  const auto smooth = [&](const std::vector<double>& of) {
    std::vector<double> made(of.size());
    for (int i = 0; i < height; ++i)
      for (int j = 0; j < width; ++j)
        for (int a = -reach; a <= reach; ++a)
          for (int b = -reach; b <= reach; ++b)
            made[static_cast<size_t>(i * width + j)] +=
                taps[static_cast<size_t>(a + reach)] * taps[static_cast<size_t>(b + reach)] / (all * all) *
                of[static_cast<size_t>(reflected(i + a, height) * width + reflected(j + b, width))];
    return made;
  };
  const auto pixels = static_cast<size_t>(height * width), each = static_cast<size_t>(channels);
  std::vector<double> grey(pixels), squares(pixels), made(x.size());
  for (size_t i = 0; i < x.size(); ++i) grey[i / each] += x[i] / channels;
  const std::vector<double> means = smooth(grey);
  for (size_t i = 0; i < x.size(); ++i) {
    made[i] = x[i] - means[i / each];
    squares[i / each] += made[i] * made[i] / channels;
  }
  std::vector<double> deviations = smooth(squares);
  double mean = 0;
  for (double& one : deviations) one = std::sqrt(one), mean += one / static_cast<double>(pixels);
  for (size_t i = 0; i < x.size(); ++i) made[i] /= std::max(deviations[i / each], mean);
  return made;
}

TEST_CASE("by its definition, of bytes and of floats") {
  for (const DType type : {DType::u8, DType::f32})
    for (const int channels : {1, 3})
      for (const double radius : {0.6, 2.0}) {
        CAPTURE(channels);
        CAPTURE(radius);
        constexpr int kHeight = 9, kWidth = 14;
        TestHost host;
        const Entry entry = linked("plait.local_contrast_normalization");
        AugmenterTest test(host, entry, Settings(entry).set("radius", radius),
                           {{"image", type, {kHeight, kWidth, channels}}});
        std::vector<double> x;
        for (int i = 0; i < kHeight * kWidth * channels; ++i) x.push_back((i * i * 7 + i * 37 + 11) % 256);
        for (size_t i = 0; i < x.size(); ++i) {
          if (type == DType::u8)
            test.sample.inputs[0].data<uint8_t>()[i] = static_cast<uint8_t>(x[i]);
          else
            test.sample.inputs[0].f32()[i] = static_cast<float>(x[i] / 255);
        }
        test.apply();
        CHECK(test.sample.outputs[0].spec().dtype == DType::f32);
        const auto y = test.sample.outputs[0].f32();
        const std::vector<double> wanted = defined(x, kHeight, kWidth, channels, radius);
        double most = 0;
        for (size_t i = 0; i < x.size(); ++i) most = std::max(most, std::abs(y[i] - wanted[i]));
        CHECK(most < 2e-5);  // of numbers of about 1, after sums of 169 in f32
      }
}

TEST_CASE("a picture of one tone becomes 0, one that is brighter and of more contrast the same as before") {
  TestHost host;
  const Entry entry = linked("plait.local_contrast_normalization");
  AugmenterTest test(host, entry, Settings(entry), {{"image", DType::f32, {8, 8, 1}}});
  const auto x = test.sample.inputs[0].f32();
  std::ranges::fill(x, 0.0f);
  test.apply();
  for (const float value : test.sample.outputs[0].f32()) CHECK(value == 0);
  for (size_t i = 0; i < 64; ++i) x[i] = static_cast<float>(i * 37 % 64) / 128;
  test.apply();
  const std::vector<float> before(test.sample.outputs[0].f32().begin(), test.sample.outputs[0].f32().end());
  for (float& value : x) value = 0.25f + 1.5f * value;
  test.apply();
  for (size_t i = 0; i < 64; ++i)
    CHECK(test.sample.outputs[0].f32()[i] == doctest::Approx(before[i]).epsilon(1e-4).scale(1));
}

TEST_CASE("what is no picture is refused") {
  TestHost host;
  const Entry entry = linked("plait.local_contrast_normalization");
  CHECK_THROWS_WITH(AugmenterTest(host, entry, Settings(entry), {{"image", DType::i32, {4, 4, 1}}}),
                    "part \"image\" is i32[4, 4, 1], wanted [H, W, C] of u8 or f32");
}

}  // namespace
