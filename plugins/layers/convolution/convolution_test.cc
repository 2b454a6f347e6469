#include <doctest/doctest.h>
#include <limits>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/window.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kConvolution = linked("plait.convolution");

struct Case {
  std::vector<int64_t> input;  // [N, ..., C]
  int64_t filters;
  std::vector<int64_t> kernel, stride = {1}, padding = {0}, dilation = {1};
  int64_t groups = 1;
  std::string implementation = "auto";
};

Settings settings(const Case& e) {
  Settings s(kConvolution);
  s.set("filters", e.filters).set("groups", e.groups).set("implementation", e.implementation);
  const auto list = [&](const char* field, const std::vector<int64_t>& values) {
    s.clear(field);
    for (const int64_t v : values) s.add(field, v);
  };
  list("kernel", e.kernel), list("stride", e.stride), list("padding", e.padding),
      list("dilation", e.dilation);
  return s;
}

LayerTest make(TestHost& host, const Case& e, std::vector<plait_epilogue> epilogues = {},
               bool input_gradient = true) {
  return LayerTest(host, kConvolution, settings(e), {{"x", DType::f32, e.input}}, std::move(epilogues),
                   input_gradient);
}

// The definition, in f64: y of filter f at output place p of sample n.
double reference(LayerTest& layer, const Case& e, const Window& w, int64_t n, Window::Extents p, int64_t f) {
  const int64_t channels = e.input.back(), part = channels / e.groups,
                first = f / (e.filters / e.groups) * part;
  double sum = layer.parameters[1].f32()[static_cast<size_t>(f)];
  int64_t tap = 0;
  for (int64_t a = 0; a < w.kernel[0]; ++a) {
    for (int64_t b = 0; b < w.kernel[1]; ++b) {
      for (int64_t c = 0; c < w.kernel[2]; ++c, ++tap) {
        const int64_t d = p[0] * w.stride[0] + a * w.dilation[0] - w.padding[0];
        const int64_t h = p[1] * w.stride[1] + b * w.dilation[1] - w.padding[1];
        const int64_t i = p[2] * w.stride[2] + c * w.dilation[2] - w.padding[2];
        if (d < 0 || h < 0 || i < 0 || d >= w.input[0] || h >= w.input[1] || i >= w.input[2]) continue;
        for (int64_t k = 0; k < part; ++k) {
          const int64_t x = (((n * w.input[0] + d) * w.input[1] + h) * w.input[2] + i) * channels + first + k;
          const int64_t v = (f * part + k) * static_cast<int64_t>(w.taps()) + tap;
          sum += double{layer.input().f32()[static_cast<size_t>(x)]} *
                 double{layer.parameters[0].f32()[static_cast<size_t>(v)]};
        }
      }
    }
  }
  return sum;
}

void check_forward(LayerTest& layer, const Case& e) {
  const Window w(layer.input().view().c() ? Spec(SpecList({layer.input().spec()}).data()[0]) : Spec(),
                 e.kernel, e.stride, e.padding, e.dilation);
  size_t i = 0;
  for (int64_t n = 0; n < e.input[0]; ++n) {
    for (int64_t d = 0; d < w.output[0]; ++d) {
      for (int64_t h = 0; h < w.output[1]; ++h) {
        for (int64_t c = 0; c < w.output[2]; ++c) {
          for (int64_t f = 0; f < e.filters; ++f, ++i) {
            CAPTURE(i);
            // At most 1,200 products of numbers within 1/2: rounding below 1,200 * 2^-25 = 4e-5.
            CHECK(layer.output().f32()[i] ==
                  doctest::Approx(reference(layer, e, w, n, {d, h, c}, f)).epsilon(4e-5).scale(1.0));
          }
        }
      }
    }
  }
}

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {{2, 8, 9, 1}, 6, {5}, {1}, {2}},            // the first layer of a digit reader
      {{3, 6, 19, 1}, 3, {3}},                     // few filters, odd width
      {{1, 5, 40, 3}, 8, {3, 5}, {1}, {1, 2}},     // colours
      {{1, 9, 20, 2}, 5, {3}, {1}, {2}, {2}},      // dilation
      {{2, 14, 14, 6}, 16, {5}},                   // the second layer
      {{1, 7, 7, 3}, 17, {3}, {2}, {1}},           // stride, one filter in the second block
      {{2, 6, 5, 4}, 40, {3, 2}, {1, 2}, {1, 0}},  // three blocks
      {{1, 9, 9, 5}, 7, {3}, {2}, {3}, {2}},       // all at once
      {{1, 3, 3, 16}, 16, {3}},                    // one output pixel
      {{1, 1, 1, 1}, 1, {1}},
      {{2, 12, 3}, 4, {4}, {2}, {1}},  // one axis
  };
  return kCases;
}

TEST_CASE("says which oneDNN computes, and by which instructions") {
  const plait_plugin* plugin = plait_plugin_v1(nullptr);
  const auto* numerics = static_cast<const plait_numerics*>(plugin->get_extension(PLAIT_EXTENSION_NUMERICS));
  REQUIRE(numerics);
  const std::string text = numerics->text();
  CHECK(text.starts_with("oneDNN: "));
  CHECK(text.find("\noneDNN instruction set: ") != std::string::npos);
  CHECK(text.find("\noneDNN mathematics: strict\n") != std::string::npos);
}

}  // namespace

TEST_CASE("convolution worked by hand") {
  TestHost host;
  const auto check = [&](int64_t stride, int64_t padding, std::vector<float> wanted) {
    LayerTest layer = make(host, {{1, 5, 5, 1}, 1, {3}, {stride}, {padding}});
    layer.input().fill({3, 3, 2, 1, 0, 0, 0, 1, 3, 1, 3, 1, 2, 2, 3, 2, 0, 0, 2, 2, 2, 0, 0, 0, 1});
    layer.parameters[0].fill({0, 1, 2, 2, 2, 0, 0, 1, 2});
    layer.parameters[1].fill({0});
    layer.forward();
    for (size_t i = 0; i < 9; ++i) CHECK(layer.output().f32()[i] == wanted[i]);
  };
  check(1, 0, {12, 12, 17, 10, 17, 19, 9, 6, 14});
  check(2, 1, {6, 17, 3, 8, 17, 13, 6, 4, 4});
}

TEST_CASE(
    "convolution is its definition, and its gradients are those of central differences, whoever convolves") {
  for (const int lanes : {1, 2}) {
    for (size_t i = 0; i < cases().size(); ++i) {
      for (const char* implementation : {"own", "onednn"}) {
        CAPTURE(i);
        CAPTURE(implementation);
        TestHost host;
        host.lanes = lanes;
        Case e = cases()[i];
        e.implementation = implementation;
        LayerTest layer = make(host, e);
        layer.forward();
        check_forward(layer, e);
        // Linear in inputs and weights: only rounding is left.
        CHECK(layer.gradient_error(60) < 1e-3);
      }
    }
  }
}

TEST_CASE("a NaN stays one after what is absorbed, whoever convolves") {
  for (const char* implementation : {"own", "winograd", "onednn"}) {
    for (const char* absorbed : {"relu", "tanh", "sigmoid"}) {
      CAPTURE(implementation);
      CAPTURE(absorbed);
      TestHost host;
      Case e{{2, 9, 9, 16}, 16, {3}, {1}, {1}};
      e.implementation = implementation;
      LayerTest layer = make(host, e, {epilogue_of(absorbed, 0, 0)});
      layer.input().f32()[0] = NAN;  // the corner of the first image: seen by 2 x 2 places
      layer.forward();
      for (size_t row = 0; row < 2; ++row)
        for (size_t k = 0; k < 2 * 16; ++k) CHECK(std::isnan(layer.output().f32()[row * 9 * 16 + k]));
    }
  }
}

TEST_CASE("convolution of few filters stays within its output whatever the width") {
  for (int64_t filters = 1; filters <= 8; ++filters) {
    for (int64_t width : {1, 2, 3, 15, 16, 17, 18, 31, 32, 33, 35}) {
      const Case e{{3, 3, width, 2}, filters, {1}};
      TestHost host;
      LayerTest layer = make(host, e);
      layer.forward();  // checks the memory after the output
      check_forward(layer, e);
    }
  }
}

TEST_CASE("convolution applies and undoes what it absorbs") {
  for (const char* name : {"relu", "tanh", "sigmoid"}) {
    for (const Case& e : {Case{{2, 6, 9, 1}, 6, {3}}, Case{{2, 5, 6, 3}, 16, {3}},
                          Case{{2, 5, 6, 4}, 6, {3}, {1}, {1}, {1}, 2}}) {
      CAPTURE(name);
      TestHost host;
      LayerTest plain = make(host, e), fused = make(host, e, {epilogue_of(name, 0, 0)});
      plain.forward(), fused.forward();
      for (size_t i = 0; i < plain.output().f32().size(); ++i) {
        const double v = plain.output().f32()[i];
        const double wanted = name[0] == 'r'   ? std::max(v, 0.0)
                              : name[0] == 't' ? std::tanh(v)
                                               : 1 / (1 + std::exp(-v));
        CHECK(fused.output().f32()[i] == doctest::Approx(wanted).epsilon(1e-5).scale(1.0));
      }
      // A small step: fewer sums cross the kink of relu.
      CHECK(fused.gradient_error(40, 1e-3) < 5e-3);
    }
  }
}

TEST_CASE("convolution gives the same bits with one lane and with two") {
  for (const Case& e : {Case{{19, 8, 12, 1}, 6, {5}, {1}, {2}}, Case{{19, 7, 7, 6}, 16, {3}}}) {
    // Own loops; oneDNN's sums depend on the lanes for which they were made.
    const auto run = [&](int lanes) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer = make(host, e);
      layer.output_gradients[0].randomize(6);
      layer.forward();
      layer.backward();
      std::vector<float> all;
      for (const TestTensor* t : {&layer.outputs[0], &layer.input_gradients[0], &layer.parameter_gradients[0],
                                  &layer.parameter_gradients[1]}) {
        all.insert(all.end(), t->f32().begin(), t->f32().end());
      }
      return all;
    };
    CHECK(run(1) == run(2));
  }
}

TEST_CASE("convolution adds to an input gradient when asked, and goes without one") {
  TestHost host;
  const Case e{{3, 6, 6, 4}, 5, {3}, {1}, {1}};
  LayerTest layer = make(host, e);
  REQUIRE(layer.accumulates);
  layer.output_gradients[0].randomize(6);
  layer.forward();
  layer.backward();
  const Out dx = layer.input_gradients[0].f32();
  const std::vector<float> once(dx.begin(), dx.end());
  layer.accumulate = true;
  layer.backward();
  for (size_t i = 0; i < once.size(); ++i)
    CHECK(dx[i] == doctest::Approx(2 * once[i]).epsilon(1e-5).scale(1.0));
  CHECK(make(host, e, {}, false).gradient_error() < 1e-3);
}

TEST_CASE("fans are PyTorch's: the inputs of a group, and all outputs") {
  TestHost host;
  const LayerTest layer = make(host, {{1, 5, 5, 8}, 6, {3}, {1}, {0}, {1}, 2});
  CHECK(layer.fans[0] == std::pair<double, double>(4 * 9, 6 * 9));
}

TEST_CASE("convolution says what does not fit") {
  TestHost host;
  const auto fails = [&](const Case& e, const char* words) {
    CHECK_THROWS_WITH_AS(make(host, e), doctest::Contains(words), std::runtime_error);
  };
  fails({{1, 5, 5, 4}, 4, {3}, {1}, {0}, {1}, 2, "own"},
        "implementation: own convolves without groups over one or two axes, wanted 2 groups over 2");
  fails({{1, 5, 5, 1}, 1, {7}}, "kernel 7x7 is larger than the input 5x5");
  fails({{1, 3, 3, 1}, 1, {7}, {1}, {1}}, "kernel 7x7 is larger than the padded input 5x5");
  fails({{1, 5, 5, 1}, 1, {3}, {1}, {0}, {3}}, "dilated kernel 7x7 is larger than the input 5x5");
  fails({{1, 5, 5, 3}, 4, {3}, {1}, {0}, {1}, 2}, "3 channels do not fall into 2 groups");
  fails({{1, 5, 5, 2}, 3, {3}, {1}, {0}, {1}, 2}, "3 filters do not fall into 2 groups");
  fails({{4, 3}, 3, {3}}, "f32[4, 3]");
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  fails({{1, 5, 5, 1}, 1, {1}, {1}, {kMost}}, "9223372036854775807 * 2 is no number of 64 bits");
  fails({{1, 5, 5, 1}, 1, {3}, {1}, {0}, {kMost}}, "9223372036854775807 * 2 is no number of 64 bits");
  fails({{1, 5, 5, 1}, 1, {1}, {1}, {int64_t{1} << 40}}, "is no number of 64 bits");
}
