#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <algorithm>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kMaxPool = linked("plait.max_pool");

struct Extents {
  std::vector<int64_t> input;  // [N, H, W, C]
  int kernel, stride, padding;
};

Settings settings(const Extents& e) {
  return Settings(kMaxPool).set("kernel", e.kernel).set("stride", e.stride).set("padding", e.padding);
}

// Numbers in shuffled order, 1/8 apart: no two are within the steps of central differences.
void spread(TestTensor& x) {
  const Out values = x.f32();
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 8;
  Random random(7, 0);
  for (size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[random.integer(static_cast<uint32_t>(i))]);
}

float largest(LayerTest& layer, const Extents& e, int64_t n, int64_t oh, int64_t ow, int64_t c) {
  const auto& in = e.input;
  float best = -INFINITY;
  for (int64_t h = oh * e.stride - e.padding; h < oh * e.stride - e.padding + e.kernel; ++h) {
    for (int64_t w = ow * e.stride - e.padding; w < ow * e.stride - e.padding + e.kernel; ++w) {
      if (h < 0 || w < 0 || h >= in[1] || w >= in[2]) continue;
      best = std::max(best, layer.input().f32()[((n * in[1] + h) * in[2] + w) * in[3] + c]);
    }
  }
  return best;
}

void check(const Extents& e, int lanes) {
  CAPTURE(e.kernel);
  CAPTURE(e.stride);
  CAPTURE(e.padding);
  TestHost host;
  host.lanes = lanes;
  LayerTest layer(host, kMaxPool, settings(e), {{"x", DType::f32, e.input}});
  spread(layer.input());
  layer.forward();
  const std::vector<int64_t> out = layer.output().spec().shape;
  size_t i = 0;
  for (int64_t n = 0; n < out[0]; ++n) {
    for (int64_t h = 0; h < out[1]; ++h) {
      for (int64_t w = 0; w < out[2]; ++w) {
        for (int64_t c = 0; c < out[3]; ++c, ++i)
          CHECK(layer.output().f32()[i] == largest(layer, e, n, h, w, c));
      }
    }
  }
  CHECK(layer.gradient_error(layer.input().f32().size()) < 1e-3);
}

}  // namespace

TEST_CASE("max_pool against a loop, with gradients") {
  for (const int lanes : {1, 2}) {
    check({{2, 4, 6, 6}, 2, 2, 0}, lanes);
    check({{1, 5, 7, 3}, 2, 2, 0}, lanes);
    check({{3, 5, 5, 17}, 3, 2, 1}, lanes);
    check({{1, 6, 5, 1}, 3, 1, 1}, lanes);
    check({{2, 7, 7, 2}, 2, 3, 0}, lanes);
    check({{1, 4, 4, 33}, 4, 4, 2}, lanes);
    check({{1, 17, 17, 2}, 17, 17, 0}, lanes);  // more than 256 places
  }
}

TEST_CASE("max_pool over one and three axes") {
  TestHost host;
  LayerTest line(host, kMaxPool, Settings(kMaxPool).set("kernel", 2), {{"x", DType::f32, {1, 5, 1}}});
  line.input().fill({1, 3, 2, 0, 9});
  line.forward();
  CHECK(line.output().spec().shape == std::vector<int64_t>{1, 2, 1});
  CHECK(line.output().f32()[0] == 3);
  CHECK(line.output().f32()[1] == 2);
  LayerTest room(host, kMaxPool, Settings(kMaxPool).set("kernel", 1).add("kernel", 2).add("kernel", 3),
                 {{"x", DType::f32, {2, 3, 4, 6, 5}}});
  CHECK(room.output().spec().shape == std::vector<int64_t>{2, 3, 2, 2, 5});
  spread(room.input());
  CHECK(room.gradient_error(100) < 1e-3);
}

TEST_CASE("max_pool gives the first of equal places the gradient, and passes NaN on") {
  TestHost host;
  LayerTest layer(host, kMaxPool, Settings(kMaxPool).set("kernel", 2), {{"x", DType::f32, {1, 2, 4, 1}}});
  layer.input().fill({5, 5, 1, NAN, 5, 5, 2, 3});
  layer.output_gradients[0].fill({7, 8});
  layer.forward();
  CHECK(layer.output().f32()[0] == 5);
  CHECK(std::isnan(layer.output().f32()[1]));
  layer.backward();
  const std::vector<float> wanted = {7, 0, 0, 8, 0, 0, 0, 0};
  for (size_t i = 0; i < wanted.size(); ++i) CHECK(layer.input_gradients[0].f32()[i] == wanted[i]);
  layer.accumulate = true;
  layer.backward();
  for (size_t i = 0; i < wanted.size(); ++i) CHECK(layer.input_gradients[0].f32()[i] == 2 * wanted[i]);
}

TEST_CASE("max_pool says what does not fit") {
  TestHost host;
  const auto fails = [&](Settings s, std::vector<int64_t> shape, const char* words) {
    CHECK_THROWS_WITH_AS(LayerTest(host, kMaxPool, std::move(s), {{"x", DType::f32, std::move(shape)}}),
                         doctest::Contains(words), std::runtime_error);
  };
  fails(Settings(kMaxPool).set("kernel", 7), {1, 5, 5, 1}, "kernel 7x7 is larger than the input 5x5");
  fails(Settings(kMaxPool).set("kernel", 2).set("padding", 2), {1, 5, 5, 1},
        "padding 2x2 is not smaller than the kernel 2x2");
  fails(Settings(kMaxPool).set("kernel", 2).add("kernel", 2).add("kernel", 2), {1, 5, 5, 1},
        "kernel has 3 values, wanted 1, or 2");
  fails(Settings(kMaxPool).set("kernel", 2), {5, 5}, "f32[5, 5]");
}

// oneDNN's is the reference: numbers are copied, and no two are equal, so that both are the same bits.
TEST_CASE("max_pool's own loops are oneDNN's pooling") {
  for (const int lanes : {1, 2})
    for (const Extents& e : {Extents{{2, 4, 6, 6}, 2, 2, 0}, Extents{{3, 5, 5, 17}, 3, 2, 1},
                             Extents{{1, 6, 5, 1}, 3, 1, 1}, Extents{{2, 7, 7, 2}, 2, 3, 0},
                             Extents{{1, 17, 17, 2}, 17, 17, 0}, Extents{{4, 8, 8, 64}, 2, 2, 0}}) {
      CAPTURE(e.kernel);
      TestHost host;
      host.lanes = lanes;
      LayerTest own(host, kMaxPool, settings(e).set("implementation", "own"), {{"x", DType::f32, e.input}});
      LayerTest onednn(host, kMaxPool, settings(e).set("implementation", "onednn"),
                       {{"x", DType::f32, e.input}});
      for (LayerTest* layer : {&own, &onednn}) {
        spread(layer->input());
        layer->output_gradients[0].randomize(3);
        layer->forward();
        layer->backward();
      }
      CHECK(std::ranges::equal(own.output().f32(), onednn.output().f32()));
      // Of windows that share inputs gradients are added, in another order.
      const auto dx = own.input_gradients[0].f32(), reference = onednn.input_gradients[0].f32();
      for (size_t i = 0; i < dx.size(); ++i) {
        if (e.stride >= e.kernel) CHECK(dx[i] == reference[i]);
        CHECK(std::abs(dx[i] - reference[i]) <= e.kernel * e.kernel * 0x1p-23f);
      }
    }
}

TEST_CASE("max_pool by oneDNN over one and three axes, and of no sample") {
  TestHost host;
  LayerTest line(host, kMaxPool, Settings(kMaxPool).set("kernel", 2).set("implementation", "onednn"),
                 {{"x", DType::f32, {1, 5, 1}}});
  line.input().fill({1, 3, 2, 0, 9});
  line.forward();
  CHECK(line.output().f32()[0] == 3);
  CHECK(line.output().f32()[1] == 2);
  LayerTest room(
      host, kMaxPool,
      Settings(kMaxPool).set("kernel", 1).add("kernel", 2).add("kernel", 3).set("implementation", "onednn"),
      {{"x", DType::f32, {2, 3, 4, 6, 5}}});
  spread(room.input());
  CHECK(room.gradient_error(100) < 1e-3);
  LayerTest none(host, kMaxPool, Settings(kMaxPool).set("kernel", 2).set("implementation", "onednn"),
                 {{"x", DType::f32, {0, 4, 4, 3}}});
  none.forward();
  none.backward();
}

// By the definition: a number follows that is larger, or NaN; the place of what is left gets the gradient.
TEST_CASE("max_pool passes NaN on wherever it lies, and samples without one are as they were") {
  for (const Extents& e :
       {Extents{{3, 6, 6, 33}, 2, 2, 0}, Extents{{3, 7, 6, 17}, 3, 1, 1}, Extents{{3, 7, 9, 6}, 3, 2, 0}}) {
    CAPTURE(e.kernel);
    TestHost host;
    LayerTest layer(host, kMaxPool, settings(e), {{"x", DType::f32, e.input}});
    spread(layer.input());
    const Out x = layer.input().f32();
    for (size_t i = 0; i < x.size() / 3; i += 7) x[i] = i % 2 == 0 ? NAN : i % 3 == 0 ? INFINITY : -INFINITY;
    layer.output_gradients[0].randomize(3);
    layer.forward();
    layer.backward();
    std::vector<float> dx(x.size(), 0.0f);
    const std::vector<int64_t> out = layer.output().spec().shape;
    size_t i = 0;
    for (int64_t n = 0; n < out[0]; ++n)
      for (int64_t oh = 0; oh < out[1]; ++oh)
        for (int64_t ow = 0; ow < out[2]; ++ow)
          for (int64_t c = 0; c < out[3]; ++c, ++i) {
            size_t best = x.size();
            for (int64_t h = oh * e.stride - e.padding; h < oh * e.stride - e.padding + e.kernel; ++h)
              for (int64_t w = ow * e.stride - e.padding; w < ow * e.stride - e.padding + e.kernel; ++w) {
                if (h < 0 || w < 0 || h >= e.input[1] || w >= e.input[2]) continue;
                const auto at = static_cast<size_t>(((n * e.input[1] + h) * e.input[2] + w) * e.input[3] + c);
                if (best == x.size() || x[at] > x[best] || std::isnan(x[at])) best = at;
              }
            const float y = layer.output().f32()[i];
            CHECK((y == x[best] || (std::isnan(y) && std::isnan(x[best]))));
            dx[best] += layer.output_gradients[0].f32()[i];
          }
    for (size_t at = 0; at < dx.size(); ++at)
      CHECK(layer.input_gradients[0].f32()[at] == doctest::Approx(dx[at]).epsilon(1e-6));
  }
}
