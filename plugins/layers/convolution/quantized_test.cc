#include <doctest/doctest.h>
#include <plait/sdk/testing_int8.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kConvolution = linked("plait.convolution");

struct Case {
  std::vector<int64_t> x;
  int filters, kernel = 3, stride = 1, padding = 0, dilation = 1, groups = 1;
  const char* absorbed = "";
};

LayerTest convolution(TestHost& host, const Case& c) {
  std::vector<plait_epilogue> epilogues;
  if (*c.absorbed) epilogues.push_back(epilogue_of(c.absorbed));
  Settings settings(kConvolution);
  settings.set("filters", c.filters).set("groups", c.groups).set("implementation", "onednn");
  for (const auto& [name, value] : {std::pair{"kernel", c.kernel},
                                    {"stride", c.stride},
                                    {"padding", c.padding},
                                    {"dilation", c.dilation}}) {
    settings.clear(name);
    settings.add(name, int64_t{value});
  }
  return LayerTest(host, kConvolution, settings, {{"x", DType::f32, c.x}}, epilogues);
}

constexpr Range kSigned{-1, 0.75}, kPositive{0, 1};

const std::vector<Case> kCases = {{{2, 9, 9, 16}, 16, 3, 1, 1},
                                  {{2, 9, 8, 3}, 5, 3, 2, 1, 1, 1, "relu"},
                                  {{3, 10, 10, 6}, 16, 5},
                                  {{2, 11, 11, 8}, 12, 3, 1, 2, 2, 4, "tanh"},
                                  {{2, 7, 7, 24}, 24, 3, 1, 1, 1, 24},
                                  {{2, 13, 20}, 9, 4, 1, 1},
                                  {{1, 5, 6, 7, 4}, 6, 3, 1, 1},
                                  {{2, 6, 6, 64}, 40, 1}};

}  // namespace

TEST_CASE("convolution on 8-bit integers is that in f32 of the numbers that the integers stand for") {
  TestHost host;
  for (const Case& c : kCases) {
    for (const Range range : {kSigned, kPositive}) {
      CAPTURE(c.filters);
      CAPTURE(c.x.size());
      CAPTURE(range.low);
      LayerTest layer = convolution(host, c);
      layer.input().randomize(3, range.low, range.high);
      const Int8Results results = int8_results(layer, range);
      REQUIRE(layer.takes_int8 == std::vector<uint32_t>{0});
      const auto filters = static_cast<size_t>(c.filters);
      const Out w = layer.parameters[0].f32();
      const size_t terms = w.size() / filters;
      const Int8Scales scales(range);
      for (size_t i = 0; i < results.int8.size(); ++i) {
        CAPTURE(i);
        // f32 rounds each of `terms` sums of products within 1, and a scale or two.
        CHECK(std::abs(results.int8[i] - results.rounded[i]) <= 1e-6 + 1.2e-7 * static_cast<double>(terms));
        // (x + d)(w + e) - x w, where |x| <= 1, and d and e are half a step at most.
        const float* const kernel = w.data() + i % filters * terms;
        const double d = scales.input / 2.0, e = scales.weight(kernel, terms) / 2.0;
        double most = 1e-5;
        for (size_t t = 0; t < terms; ++t) most += std::abs(kernel[t]) * d + (1 + d) * e;
        CHECK(std::abs(results.int8[i] - results.exact[i]) <= most);
      }
    }
  }
}

// Pairs of products of the largest integers are beyond 16 bits: where they are added in those, they saturate.
TEST_CASE("convolution on 8-bit integers adds the largest numbers without saturation") {
  TestHost host;
  for (const Range range : {Range{-1, 1}, kPositive}) {
    CAPTURE(range.low);
    LayerTest layer = convolution(host, {{1, 6, 6, 32}, 16});
    for (float& x : layer.input().f32()) x = 1;
    for (float& w : layer.parameters[0].f32()) w = 0.25f;
    for (float& b : layer.parameters[1].f32()) b = 0;
    layer.quantize({range});
    layer.forward();
    for (const float y : layer.output().f32()) CHECK(y == doctest::Approx(9 * 32 * 0.25).epsilon(1e-5));
  }
}

TEST_CASE("convolution on 8-bit integers: a sample's bits do not follow from the batch") {
  TestHost host;
  LayerTest many = convolution(host, {{5, 8, 8, 16}, 24, 3, 1, 1});
  many.quantize({kSigned});
  many.forward();
  const size_t in = 8 * 8 * 16, out = 8 * 8 * 24;
  for (size_t n = 0; n < 5; ++n) {
    LayerTest one = convolution(host, {{1, 8, 8, 16}, 24, 3, 1, 1});
    const Out x = many.input().f32().subspan(n * in, in), y = many.output().f32().subspan(n * out, out);
    std::copy(x.begin(), x.end(), one.input().f32().begin());
    one.quantize({kSigned});
    one.forward();
    CHECK(std::equal(y.begin(), y.end(), one.output().f32().begin()));
  }
}

TEST_CASE("convolution on 8-bit integers refuses what is not finite") {
  TestHost host;
  LayerTest layer = convolution(host, {{1, 6, 6, 16}, 16});
  layer.quantize({kSigned});
  layer.input().f32()[7] = INFINITY;
  CHECK_THROWS_WITH(layer.forward(), doctest::Contains("NaN or infinity"));
}
