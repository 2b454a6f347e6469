#include <doctest/doctest.h>
#include <cmath>
#include <plait/bf16.hpp>
#include <plait/onednn.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kConvolution = linked("plait.convolution");

struct Case {
  std::vector<int64_t> input;  // [N, H, W, C]
  int64_t filters;
  std::vector<int64_t> padding = {1};
};

LayerTest make(TestHost& host, const Case& e, const char* implementation,
               std::vector<plait_epilogue> epilogues = {}, DType type = DType::f32) {
  Settings s(kConvolution);
  s.set("filters", e.filters).set("implementation", implementation);
  s.clear("padding");
  for (const int64_t v : e.padding) s.add("padding", v);
  return LayerTest(host, kConvolution, std::move(s), {{"x", type, e.input}}, std::move(epilogues));
}

// What the layer takes on this processor.
std::vector<DType> types() {
  return onednn_has_bf16() ? std::vector{DType::f32, DType::bf16} : std::vector{DType::f32};
}

// Of an f32 or bf16 tensor.
std::vector<float> numbers(const TestTensor& t) {
  if (t.spec().dtype == DType::f32) return {t.f32().begin(), t.f32().end()};
  std::vector<float> all;
  for (const uint16_t bits : t.data<uint16_t>()) all.push_back(f32_of_bf16(bits));
  return all;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {{2, 8, 8, 16}, 16},            // whole tiles
      {{3, 7, 9, 16}, 32, {0}},       // 5 x 7 outputs
      {{1, 1, 1, 16}, 16},            // one pixel
      {{2, 3, 3, 32}, 16, {0}},       // one output
      {{1, 1, 21, 16}, 48},           // one row; an odd number of sixteens
      {{2, 6, 1, 48}, 16, {2}},       // one column, three columns of outputs
      {{1, 5, 10, 32}, 32, {0, 2}},   // another padding for each axis
      {{19, 9, 9, 16}, 16},           // pieces of three samples, the last of one
      {{1, 40, 40, 16}, 16, {2}},     // 121 tiles of a sample: six blocks
      {{1, 28, 56, 272}, 16},         // 98 tiles: four blocks summed at a time, and two tiles
      {{5, 12, 20, 48}, 48, {1, 0}},  // blocks that begin in the middle of a sample
  };
  return kCases;
}

struct Sizes {
  size_t n, h, w, c, f, down, right, out_h, out_w;
  explicit Sizes(const Case& e)
      : n(extent(e.input[0])),
        h(extent(e.input[1])),
        w(extent(e.input[2])),
        c(extent(e.input[3])),
        f(extent(e.filters)),
        down(extent(e.padding.front())),
        right(extent(e.padding.back())),
        out_h(h + 2 * down - 2),
        out_w(w + 2 * right - 2) {}
  static size_t extent(int64_t v) { return static_cast<size_t>(v); }
};

// body(place of an output, place of an input, place of a weight) for every product of the definition.
template <class Body>
void each_product(const Sizes& s, const Body& body) {
  for (size_t y = 0; y < s.n * s.out_h * s.out_w * s.f; ++y) {
    const size_t f = y % s.f, j = y / s.f % s.out_w, i = y / s.f / s.out_w % s.out_h,
                 n = y / s.f / s.out_w / s.out_h;
    for (size_t tap = 0; tap < 9; ++tap) {
      const size_t h = i + tap / 3 - s.down, w = j + tap % 3 - s.right;  // before the first: very large
      if (h >= s.h || w >= s.w) continue;
      for (size_t c = 0; c < s.c; ++c) body(y, ((n * s.h + h) * s.w + w) * s.c + c, (f * s.c + c) * 9 + tap);
    }
  }
}

// Largest difference and root of the mean of its squares; of bf16, beyond what rounding to it explains.
struct Difference {
  double most = 0, mean = 0;
};
Difference difference(const TestTensor& tensor, const std::vector<double>& wanted) {
  Difference d;
  const std::vector<float> got = numbers(tensor);
  // Half a unit of what was rounded to bf16.
  const double rounding = tensor.spec().dtype == DType::bf16 ? 0x1p-8 : 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double one = std::abs(double{got[i]} - wanted[i]) - rounding * std::abs(wanted[i]);
    d.most = std::isnan(one) ? HUGE_VAL : std::max(d.most, one);
    d.mean += one * one;
  }
  d.mean = std::sqrt(d.mean / static_cast<double>(wanted.size()));
  return d;
}

// Forward and backward in f64 by the definition, of the layer's own inputs and output gradients.
struct Reference {
  std::vector<double> y, dx, dw, db;
  Reference(LayerTest& layer, const Case& e) {
    const Sizes s(e);
    const std::vector<float> x = numbers(layer.input()), w = numbers(layer.parameters[0]),
                             b = numbers(layer.parameters[1]), dy = numbers(layer.output_gradients[0]);
    y.resize(dy.size()), dx.resize(x.size()), dw.resize(w.size()), db.resize(b.size());
    for (size_t i = 0; i < y.size(); ++i) y[i] = b[i % s.f], db[i % s.f] += dy[i];
    each_product(s, [&](size_t to, size_t from, size_t weight) {
      y[to] += double{x[from]} * w[weight];
      dx[from] += double{dy[to]} * w[weight];
      dw[weight] += double{dy[to]} * x[from];
    });
  }
};

// Numbers that bf16 holds, the same for the same seed in f32 and in bf16.
void fill(const TestTensor& t, uint64_t seed) {
  Random random(seed, 0);
  const auto draw = [&] { return bf16_of_f32(static_cast<float>(random.uniform(-0.5, 0.5))); };
  if (t.spec().dtype == DType::f32) {
    for (float& value : t.f32()) value = f32_of_bf16(draw());
  } else {
    for (uint16_t& value : t.data<uint16_t>()) value = draw();
  }
}

void run(LayerTest& layer) {
  layer.input().randomize(1, -0.5, 0.5), layer.output_gradients[0].randomize(6, -0.5, 0.5);
  layer.forward();
  layer.backward();
}
void run_on_halves(LayerTest& layer) {
  fill(layer.input(), 1), fill(layer.output_gradients[0], 6);
  layer.forward();
  layer.backward();
}
std::vector<float> results(const LayerTest& layer) {
  std::vector<float> all;
  for (const TestTensor* t : {&layer.outputs[0], &layer.input_gradients[0], &layer.parameter_gradients[0],
                              &layer.parameter_gradients[1]}) {
    const std::vector<float> one = numbers(*t);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

}  // namespace

// The tolerance, of numbers drawn evenly from +-1/2 (variance 1/12): a transformed product's variance is that
// of a product times |row of Bt|^2 |row of G|^2, weighted in an output by the squares of At: 21.4 for one
// axis and any output (an output of the definition: 3). So partial sums of n channels or tiles have a spread
// of 21.4 / 12 sqrt(n), and n + 24 roundings (24: of the transforms) of half a unit, 2^-24, each of its own
// sign, one of 21.4 / 12 sqrt(n (n + 24)) 2^-24. Outputs of a test are up to 16,000, none of which should be
// seven times as far. Weights have the extent that a sum over tiles gives them, in place of channels. Of
// bf16, difference() takes off half a unit of what was wanted; half a unit of the error is left, 2^-8 of it.
double tolerance(double n) { return 7 * 21.4 / 12 * std::sqrt(n * (n + 24)) * std::ldexp(1, -24); }

void check_definition(LayerTest& layer, const Case& e, double rounding) {
  const Reference wanted(layer, e);
  const Sizes s(e);
  const auto tiles = static_cast<double>(s.n * ((s.out_h + 3) / 4) * ((s.out_w + 3) / 4));
  CHECK(difference(layer.outputs[0], wanted.y).most < rounding * tolerance(static_cast<double>(s.c)));
  CHECK(difference(layer.input_gradients[0], wanted.dx).most <
        rounding * tolerance(static_cast<double>(s.f)));
  CHECK(difference(layer.parameter_gradients[0], wanted.dw).most < tolerance(tiles));
  // Sums of n numbers within 1/2.
  const auto n = static_cast<double>(s.n * s.out_h * s.out_w);
  CHECK(difference(layer.parameter_gradients[1], wanted.db).most < n * n / 2 * std::ldexp(1, -24));
}

TEST_CASE("winograd is the definition of convolution, and so are its gradients, for any extents and lanes") {
  for (const DType type : types()) {
    for (const int lanes : {1, 2, 3}) {
      for (size_t i = 0; i < cases().size(); ++i) {
        CAPTURE(name_of(type));
        CAPTURE(lanes);
        CAPTURE(i);
        const Case& e = cases()[i];
        TestHost host;
        host.lanes = lanes;
        LayerTest layer = make(host, e, "winograd", {}, type);
        REQUIRE(layer.output().spec().dtype == type);
        type == DType::f32 ? run(layer) : run_on_halves(layer);
        check_definition(layer, e, type == DType::f32 ? 1 : 1 + 0x1p-8);
      }
    }
  }
}

TEST_CASE("winograd of bf16 is that of f32, rounded once, and its weights' gradient is f32's") {
  if (!onednn_has_bf16()) return;
  for (const char* absorbed : {"", "relu"}) {
    for (size_t i = 0; i < cases().size(); ++i) {
      CAPTURE(absorbed);
      CAPTURE(i);
      std::vector<plait_epilogue> epilogues;
      if (*absorbed != 0) epilogues.push_back(epilogue_of(absorbed, 0.25));  // a product without rounding
      TestHost host;
      LayerTest half = make(host, cases()[i], "winograd", epilogues, DType::bf16),
                full = make(host, cases()[i], "winograd", epilogues);
      run_on_halves(half), run_on_halves(full);
      const auto rounded = [](const TestTensor& t) {
        std::vector<float> all = numbers(t);
        for (float& value : all) value = f32_of_bf16(bf16_of_f32(value));
        return all;
      };
      CHECK(numbers(half.outputs[0]) == rounded(full.outputs[0]));
      CHECK(numbers(half.input_gradients[0]) == rounded(full.input_gradients[0]));
      for (size_t k = 0; k < 2; ++k)
        CHECK(numbers(half.parameter_gradients[k]) == numbers(full.parameter_gradients[k]));
    }
  }
}

TEST_CASE("winograd of bf16 adds to an input gradient in f32, and rounds the sum once") {
  if (!onednn_has_bf16()) return;
  TestHost host;
  const Case e{{3, 6, 7, 16}, 16};
  LayerTest half = make(host, e, "winograd", {}, DType::bf16), full = make(host, e, "winograd");
  run_on_halves(half), run_on_halves(full);
  fill(half.input_gradients[0], 9);
  const std::vector<float> before = numbers(half.input_gradients[0]), more = numbers(full.input_gradients[0]);
  half.accumulate = true;
  half.backward();
  const std::vector<float> got = numbers(half.input_gradients[0]);
  for (size_t i = 0; i < got.size(); ++i) CHECK(got[i] == f32_of_bf16(bf16_of_f32(before[i] + more[i])));
}

TEST_CASE("winograd's rounding errors are a small multiple of the definition's") {
  // The spread of partial sums is 21.4 / 3 times the definition's, whose sums are 9 times as long: with equal
  // numbers of roundings the errors would be 7 times as large.
  const Case e{{4, 16, 16, 64}, 64};
  TestHost host;
  LayerTest tiled = make(host, e, "winograd"), own = make(host, e, "own");
  run(tiled), run(own);
  const Reference wanted(tiled, e);
  const auto compare = [&](const TestTensor& a, const TestTensor& b, const std::vector<double>& exact) {
    const double ours = difference(a, exact).mean, direct = difference(b, exact).mean;
    CAPTURE(ours);
    CAPTURE(direct);
    CHECK(ours < 7 * direct);
  };
  compare(tiled.outputs[0], own.outputs[0], wanted.y);
  compare(tiled.input_gradients[0], own.input_gradients[0], wanted.dx);
  compare(tiled.parameter_gradients[0], own.parameter_gradients[0], wanted.dw);
}

TEST_CASE("winograd gives the same bits for any number of lanes, and of a sample in any batch") {
  for (const DType type : types()) {
    for (const Case& e : {Case{{19, 8, 12, 16}, 32}, Case{{3, 9, 30, 32}, 16, {0}}}) {
      const auto with = [&](int lanes) {
        TestHost host;
        host.lanes = lanes;
        LayerTest layer = make(host, e, "winograd", {epilogue_of("tanh")}, type);
        run_on_halves(layer);
        return results(layer);
      };
      const std::vector<float> one = with(1);
      for (const int lanes : {2, 3, 8, 11}) CHECK(with(lanes) == one);
      TestHost host;
      Case alone = e;
      alone.input[0] = 1;
      LayerTest all = make(host, e, "winograd", {}, type), last = make(host, alone, "winograd", {}, type);
      fill(last.input(), 1);
      // The last sample of all is the only one of the other.
      const auto copy_last = [&]<class T>(const std::span<T>& to) {
        const std::span<T> from = all.input().data<T>();
        std::copy(to.begin(), to.end(), from.end() - static_cast<ptrdiff_t>(to.size()));
      };
      fill(all.input(), 2);
      type == DType::f32 ? copy_last(last.input().data<float>()) : copy_last(last.input().data<uint16_t>());
      all.forward(), last.forward();
      const std::vector<float> y = numbers(all.output()), y_alone = numbers(last.output());
      CHECK(std::equal(y_alone.begin(), y_alone.end(), y.end() - static_cast<ptrdiff_t>(y_alone.size())));
    }
  }
}

TEST_CASE("winograd applies and undoes what it absorbs") {
  for (const std::string name : {"relu", "tanh", "sigmoid"}) {
    CAPTURE(name);
    const Case e{{3, 6, 9, 16}, 32};
    TestHost host;
    LayerTest fused = make(host, e, "winograd", {epilogue_of(name.c_str())}),
              plain = make(host, e, "winograd");
    run(fused), run(plain);
    const Out y = fused.output().f32(), before = plain.output().f32(), dy = plain.output_gradients[0].f32();
    for (size_t i = 0; i < y.size(); ++i) {
      const double v = before[i];
      const double wanted = name == "relu"   ? std::max(v, 0.0)
                            : name == "tanh" ? std::tanh(v)
                                             : 1 / (1 + std::exp(-v));
      CHECK(y[i] == doctest::Approx(wanted).epsilon(1e-5).scale(1));
      dy[i] *= name == "relu" ? (y[i] > 0 ? 1 : 0) : name == "tanh" ? 1 - y[i] * y[i] : y[i] - y[i] * y[i];
    }
    plain.backward();  // the same sums, of gradients that differ by a few roundings
    const std::vector<float> a = results(fused), b = results(plain);
    for (size_t i = y.size(); i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-4).scale(1));
  }
}

TEST_CASE("winograd adds to an input gradient when asked") {
  TestHost host;
  LayerTest layer = make(host, {{3, 6, 7, 16}, 16}, "winograd");
  REQUIRE(layer.accumulates);
  run(layer);
  const Out dx = layer.input_gradients[0].f32();
  const std::vector<float> once(dx.begin(), dx.end());
  layer.accumulate = true;
  layer.backward();
  for (size_t i = 0; i < once.size(); ++i) CHECK(dx[i] == 2 * once[i]);
}

TEST_CASE("winograd of an empty batch has zero gradients") {
  TestHost host;
  LayerTest layer = make(host, {{0, 6, 7, 16}, 16}, "winograd");
  run(layer);
  for (const float v : layer.parameter_gradients[0].f32()) CHECK(v == 0);
}

TEST_CASE("winograd says what it does not convolve") {
  TestHost host;
  const auto fails = [&](std::vector<int64_t> input, int64_t filters, const char* field, int64_t value,
                         const char* words) {
    Settings s(kConvolution);
    s.set("filters", filters).set("implementation", "winograd");
    if (field) s.clear(field), s.add(field, value);
    CHECK_THROWS_WITH_AS(LayerTest(host, kConvolution, std::move(s), {{"x", DType::f32, input}}),
                         doctest::Contains(words), std::runtime_error);
  };
  fails({1, 9, 9, 16}, 16, "kernel", 5, "got kernel 5x5");
  fails({1, 9, 9, 16}, 16, "stride", 2, "stride 2x2");
  fails({1, 9, 9, 16}, 16, "dilation", 2, "dilation 2x2");
  fails({1, 9, 9, 16}, 16, "padding", 3, "padding 3x3");
  fails({1, 9, 9, 12}, 16, nullptr, 0, "12 channels, 16 filters");
  fails({1, 9, 9, 16}, 20, nullptr, 0, "16 channels, 20 filters");
  fails({1, 9, 16}, 16, nullptr, 0, "got kernel 3,");
}
