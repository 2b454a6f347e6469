#include <doctest/doctest.h>
#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kLocal = linked("plait.locally_connected");

struct Extents {
  std::vector<int64_t> x;
  int filters, kernel, stride, padding;
};

LayerTest make(TestHost& host, const Extents& e, bool bias = true) {
  return LayerTest(host, kLocal,
                   Settings(kLocal)
                       .set("filters", e.filters)
                       .set("kernel", e.kernel)
                       .set("stride", e.stride)
                       .set("padding", e.padding)
                       .set("bias", bias),
                   {{"x", DType::f32, e.x}});
}

// The definition over [N, H, W, C], in f64.
double wanted(LayerTest& layer, const Extents& e, int64_t n, int64_t oh, int64_t ow, int64_t f) {
  const auto& y = layer.output().spec().shape;
  const int64_t place = oh * y[2] + ow, channels = e.x[3];
  double sum = layer.parameters[1].f32()[static_cast<size_t>(place * e.filters + f)];
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t i = 0; i < e.kernel; ++i)
      for (int64_t j = 0; j < e.kernel; ++j) {
        const int64_t h = oh * e.stride + i - e.padding, w = ow * e.stride + j - e.padding;
        if (h < 0 || w < 0 || h >= e.x[1] || w >= e.x[2]) continue;
        const int64_t weight = (((place * e.filters + f) * channels + c) * e.kernel + i) * e.kernel + j;
        sum += static_cast<double>(layer.parameters[0].f32()[static_cast<size_t>(weight)]) *
               layer.input().f32()[static_cast<size_t>(((n * e.x[1] + h) * e.x[2] + w) * channels + c)];
      }
  return sum;
}

const std::vector<Extents> kCases = {{{2, 4, 5, 3}, 4, 3, 1, 0},
                                     {{1, 5, 5, 1}, 1, 2, 1, 1},
                                     {{9, 6, 4, 2}, 17, 3, 2, 1},
                                     {{3, 3, 3, 20}, 33, 3, 1, 0},
                                     {{17, 5, 6, 1}, 3, 2, 3, 0}};

}  // namespace

TEST_CASE("locally_connected along one axis, worked by hand") {
  TestHost host;
  LayerTest layer = make(host, {{1, 3, 1}, 1, 2, 1, 0});
  CHECK(layer.output().spec().shape == std::vector<int64_t>{1, 2, 1});
  layer.input().fill({1, 2, 3});
  layer.parameters[0].fill({10, 1, -1, 4});  // place 0: 10, 1; place 1: -1, 4
  layer.parameters[1].fill({0.5f, -0.5f});
  layer.output_gradients[0].fill({1, 2});
  layer.forward();
  layer.backward();
  CHECK(layer.output().f32()[0] == 12.5f);
  CHECK(layer.output().f32()[1] == 9.5f);
  const std::vector<float> dw = {1, 2, 4, 6}, dx = {10, -1, 8};
  CHECK(distance(layer.parameter_gradients[0].f32(), dw) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
  CHECK(layer.parameter_gradients[1].f32()[1] == 2);
  layer.accumulate = true;
  layer.backward();
  CHECK(layer.input_gradients[0].f32()[2] == 16);
}

// A sum of `terms` products in f32 is off by at most terms 2^-24 of the sum of their magnitudes: here
// products of up to 1/2.
TEST_CASE("locally_connected is its definition, with gradients") {
  for (const int lanes : {1, 2})
    for (const Extents& e : kCases) {
      CAPTURE(e.filters);
      TestHost host;
      host.lanes = lanes;
      LayerTest layer = make(host, e);
      layer.forward();
      const auto y = layer.output().spec().shape;
      const auto terms = static_cast<double>(e.x[3] * e.kernel * e.kernel);
      double worst = 0;
      size_t i = 0;
      for (int64_t n = 0; n < y[0]; ++n)
        for (int64_t h = 0; h < y[1]; ++h)
          for (int64_t w = 0; w < y[2]; ++w)
            for (int64_t f = 0; f < y[3]; ++f, ++i)
              worst = std::max(worst, std::abs(layer.output().f32()[i] - wanted(layer, e, n, h, w, f)));
      CHECK(worst <= terms * 0x1p-24 * (terms / 2 + 1));
      CHECK(layer.gradient_error(60) < 1e-3);
      CHECK(make(host, e, false).gradient_error(20) < 1e-3);
    }
}

// With the same weights at every place it is a convolution: PyTorch 2.15, conv1d.
TEST_CASE("locally_connected of equal weights is PyTorch's convolution") {
  TestHost host;
  LayerTest layer = make(host, {{1, 4, 2}, 2, 3, 1, 1});
  for (size_t i = 0; i < 8; ++i) layer.input().f32()[i] = static_cast<float>((i * 5) % 9) / 4 - 1;
  for (size_t p = 0; p < 4; ++p)
    for (size_t k = 0; k < 12; ++k)
      layer.parameters[0].f32()[p * 12 + k] = static_cast<float>((k * 7) % 11) / 8 - 0.625f;
  for (size_t i = 0; i < 8; ++i) layer.parameters[1].f32()[i] = i % 2 == 0 ? 0.25f : -0.5f;
  layer.forward();
  const std::vector<float> y = {0.03125f, -0.46875f, 0.75f,    -1.1875f,
                                0.6875f,  -1.28125f, 1.09375f, -0.59375f};
  CHECK(distance(layer.output().f32(), y) == 0);
}

TEST_CASE("locally_connected gives the same bits with one lane and with two") {
  const auto run = [](int lanes) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer = make(host, {{19, 7, 6, 3}, 18, 3, 1, 1});
    layer.output_gradients[0].randomize(6);
    layer.forward();
    layer.backward();
    std::vector<float> all;
    for (const TestTensor* t : {&layer.outputs[0], &layer.input_gradients[0], &layer.parameter_gradients[0]})
      all.insert(all.end(), t->f32().begin(), t->f32().end());
    return all;
  };
  CHECK(run(1) == run(2));
}

TEST_CASE("locally_connected says what does not fit") {
  TestHost host;
  const auto fails = [&](const Extents& e, const char* words) {
    CHECK_THROWS_WITH_AS(make(host, e), doctest::Contains(words), std::runtime_error);
  };
  fails({{1, 5, 5, 1}, 1, 7, 1, 0}, "kernel 7x7 is larger than the input 5x5");
  fails({{1, 5, 5, 1}, 1, 2, 1, 2}, "padding 2x2 is not smaller than the kernel 2x2");
  fails({{1, 5, 5, 5, 1}, 1, 2, 1, 0}, "wanted f32 [N, W, C] or [N, H, W, C]");
  fails({{5, 5}, 1, 2, 1, 0}, "f32[5, 5]");
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kLocal, Settings(kLocal).set("filters", 1), {{"x", DType::f32, {1, 8, 2}, 1}}),
      doctest::Contains("axis 1 of the input varies, wanted fixed extents"), std::runtime_error);
}
