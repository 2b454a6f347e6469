#include <doctest/doctest.h>
#include <plait/sdk/testing_int8.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kDense = linked("plait.dense");

LayerTest dense(TestHost& host, int64_t batch, int64_t inputs, int units, const char* absorbed = "",
                const char* implementation = "onednn") {
  std::vector<plait_epilogue> epilogues;
  if (*absorbed) epilogues.push_back(epilogue_of(absorbed));
  return LayerTest(host, kDense, Settings(kDense).set("units", units).set("implementation", implementation),
                   {{"x", DType::f32, {batch, inputs}}}, epilogues);
}

constexpr Range kSigned{-1, 0.75}, kPositive{0, 1};

}  // namespace

TEST_CASE("dense on 8-bit integers is dense in f32 of the numbers that the integers stand for") {
  TestHost host;
  for (const char* absorbed : {"", "relu", "tanh"}) {
    for (const Range range : {kSigned, kPositive}) {
      for (const auto& [inputs, units] :
           std::vector<std::pair<int64_t, int>>{{1, 1}, {7, 5}, {130, 67}, {784, 64}}) {
        CAPTURE(absorbed);
        CAPTURE(range.low);
        CAPTURE(inputs);
        LayerTest layer = dense(host, 5, inputs, units, absorbed);
        layer.input().randomize(3, range.low, range.high);
        const Int8Results results = int8_results(layer, range);
        REQUIRE(layer.takes_int8 == std::vector<uint32_t>{0});
        const Int8Scales scales(range);
        const Out x = layer.input().f32(), w = layer.parameters[0].f32();
        const auto terms = static_cast<size_t>(inputs), filters = static_cast<size_t>(units);
        for (size_t i = 0; i < results.int8.size(); ++i) {
          CAPTURE(i);
          // f32 rounds each of `inputs` sums of products within 1, and a scale or two.
          CHECK(std::abs(results.int8[i] - results.rounded[i]) <=
                1e-6 + 1.2e-7 * static_cast<double>(inputs));
          // (x + d)(w + e) - x w, where d and e are half a step at most; the functions' slopes are 1 at most.
          const float* const row = w.data() + i % filters * terms;
          const double d = scales.input / 2.0, e = scales.weight(row, terms) / 2.0;
          double most = 1e-5;
          for (size_t t = 0; t < terms; ++t)
            most += std::abs(row[t]) * d + (std::abs(x[i / filters * terms + t]) + d) * e;
          CHECK(std::abs(results.int8[i] - results.exact[i]) <= most);
        }
      }
    }
  }
}

// Pairs of products of the largest integers are beyond 16 bits: where they are added in those, they saturate.
TEST_CASE("dense on 8-bit integers adds the largest numbers without saturation") {
  TestHost host;
  for (const Range range : {Range{-1, 1}, kPositive}) {
    CAPTURE(range.low);
    LayerTest layer = dense(host, 2, 512, 16);
    for (float& x : layer.input().f32()) x = 1;
    for (float& w : layer.parameters[0].f32()) w = 0.25f;
    for (float& b : layer.parameters[1].f32()) b = 0;
    layer.quantize({range});
    layer.forward();
    for (const float y : layer.output().f32()) CHECK(y == doctest::Approx(128).epsilon(1e-5));
  }
}

TEST_CASE("dense on 8-bit integers: a row's bits do not follow from the batch") {
  TestHost host;
  LayerTest many = dense(host, 9, 300, 40);
  many.quantize({kSigned});
  many.forward();
  for (size_t n = 0; n < 9; ++n) {
    LayerTest one = dense(host, 1, 300, 40);
    const Out x = many.input().f32().subspan(n * 300, 300), y = many.output().f32().subspan(n * 40, 40);
    std::copy(x.begin(), x.end(), one.input().f32().begin());
    one.quantize({kSigned});
    one.forward();
    CHECK(std::equal(y.begin(), y.end(), one.output().f32().begin()));
  }
}

TEST_CASE("dense takes a range where integers are faster") {
  TestHost host;
  CHECK(dense(host, 1, 10, 10, "", "own").takes_int8.empty());
  CHECK(dense(host, 1, 10, 10, "", "onednn").takes_int8.size() == 1);
  CHECK(dense(host, 1, 784, 512, "", "own").takes_int8.size() == 1);
}

TEST_CASE("dense on 8-bit integers refuses what is not finite") {
  TestHost host;
  LayerTest layer = dense(host, 2, 40, 3);
  layer.quantize({kSigned});
  layer.input().f32()[79] = NAN;
  CHECK_THROWS_WITH(layer.forward(), doctest::Contains("NaN or infinity"));
  layer.input().f32()[79] = 0;
  layer.parameters[0].f32()[5] = INFINITY;
  CHECK_THROWS_WITH(layer.forward(), doctest::Contains("weight 5 of filter 0 is inf"));
}
