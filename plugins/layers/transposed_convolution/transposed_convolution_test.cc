#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kTransposed = linked("plait.transposed_convolution");

struct Case {
  std::vector<int64_t> input;  // [N, ..., C]
  int64_t filters;
  std::vector<int64_t> kernel, stride = {1}, padding = {0}, output_padding = {0}, dilation = {1};
  int64_t groups = 1;
};

Settings settings(const Case& e) {
  Settings s(kTransposed);
  s.set("filters", e.filters).set("groups", e.groups);
  const auto list = [&](const char* field, const std::vector<int64_t>& values) {
    s.clear(field);
    for (const int64_t v : values) s.add(field, v);
  };
  list("kernel", e.kernel), list("stride", e.stride), list("padding", e.padding);
  list("output_padding", e.output_padding), list("dilation", e.dilation);
  return s;
}

LayerTest make(TestHost& host, const Case& e, std::vector<plait_epilogue> epilogues = {}) {
  return LayerTest(host, kTransposed, settings(e), {{"x", DType::f32, e.input}}, std::move(epilogues));
}

// A case of one or two axes seen as two.
struct Plane {
  int64_t batch, h, w, channels, kernel_h, kernel_w, stride_h, stride_w, padding_h, padding_w, dilation_h,
      dilation_w;

  explicit Plane(const Case& e) {
    const bool line = e.input.size() == 3;
    const auto of = [&](const std::vector<int64_t>& list, int64_t missing, bool row) {
      if (row && line) return missing;
      return row || list.size() == 1 ? list[0] : list[1];
    };
    batch = e.input[0], channels = e.input.back();
    h = line ? 1 : e.input[1], w = line ? e.input[1] : e.input[2];
    kernel_h = of(e.kernel, 1, true), kernel_w = of(e.kernel, 1, false);
    stride_h = of(e.stride, 1, true), stride_w = of(e.stride, 1, false);
    padding_h = of(e.padding, 0, true), padding_w = of(e.padding, 0, false);
    dilation_h = of(e.dilation, 1, true), dilation_w = of(e.dilation, 1, false);
  }
};

// The definition, in f64: every input adds to the outputs that its taps reach.
std::vector<double> reference(LayerTest& layer, const Case& e) {
  const Plane p(e);
  const std::vector<int64_t>& out = layer.output().spec().shape;
  const int64_t out_h = e.input.size() == 3 ? 1 : out[1], out_w = out[out.size() - 2];
  std::vector<double> y(layer.output().f32().size());
  for (size_t i = 0; i < y.size(); ++i) y[i] = layer.parameters[1].f32()[i % static_cast<size_t>(e.filters)];
  const int64_t part = e.filters / e.groups, per = p.channels / e.groups;
  size_t at = 0;
  for (int64_t n = 0; n < p.batch; ++n) {
    for (int64_t h = 0; h < p.h; ++h) {
      for (int64_t w = 0; w < p.w; ++w) {
        for (int64_t c = 0; c < p.channels; ++c, ++at) {
          for (int64_t f = 0; f < part; ++f) {
            for (int64_t a = 0; a < p.kernel_h; ++a) {
              for (int64_t b = 0; b < p.kernel_w; ++b) {
                const int64_t i = h * p.stride_h + a * p.dilation_h - p.padding_h;
                const int64_t j = w * p.stride_w + b * p.dilation_w - p.padding_w;
                if (i < 0 || j < 0 || i >= out_h || j >= out_w) continue;
                const int64_t weight = ((c * part + f) * p.kernel_h + a) * p.kernel_w + b;
                const int64_t place = ((n * out_h + i) * out_w + j) * e.filters + c / per * part + f;
                y[static_cast<size_t>(place)] +=
                    double{layer.input().f32()[at]} *
                    double{layer.parameters[0].f32()[static_cast<size_t>(weight)]};
              }
            }
          }
        }
      }
    }
  }
  return y;
}

const std::vector<Case> kCases = {
    {{2, 7, 7, 8}, 16, {2}, {2}},  // doubles the extents
    {{2, 5, 4, 16}, 1, {2}, {2}},
    {{1, 4, 5, 3}, 5, {3}, {2}, {1}, {1}},          // output padding
    {{2, 5, 6, 4}, 7, {3, 2}, {1, 3}, {1, 0}},      // axes apart
    {{1, 6, 5, 2}, 3, {3}, {1}, {2}, {0}, {2}},     // dilation
    {{1, 4, 4, 6}, 4, {3}, {2}, {1}, {0}, {1}, 2},  // groups
    {{2, 9, 3}, 4, {4}, {2}, {1}},                  // one axis
    {{1, 1, 1, 1}, 1, {1}},
};

}  // namespace

TEST_CASE("transposed convolution worked by hand") {
  TestHost host;
  LayerTest layer = make(host, {{1, 2, 2, 1}, 1, {3}, {2}, {1}, {1}});
  CHECK(layer.output().spec().shape == std::vector<int64_t>{1, 4, 4, 1});
  layer.input().fill({1, 2, 3, 4});
  layer.parameters[0].fill({1, 2, 3, 4, 5, 6, 7, 8, 9});
  layer.parameters[1].fill({0.5f});
  layer.forward();
  // As PyTorch's ConvTranspose2d has it.
  const float wanted[] = {5.5f,  14.5f, 10.5f, 12.5f, 14.5f, 36.5f, 24.5f, 30.5f,
                          15.5f, 34.5f, 20.5f, 24.5f, 24.5f, 55.5f, 32.5f, 36.5f};
  for (size_t i = 0; i < 16; ++i) CHECK(layer.output().f32()[i] == wanted[i]);
}

TEST_CASE("transposed convolution is its definition, and its gradients are those of central differences") {
  for (const int lanes : {1, 2}) {
    for (size_t i = 0; i < kCases.size(); ++i) {
      CAPTURE(i);
      TestHost host;
      host.lanes = lanes;
      LayerTest layer = make(host, kCases[i]);
      layer.forward();
      const std::vector<double> wanted = reference(layer, kCases[i]);
      // At most 100 products of numbers within 1: rounding below 100 * 2^-23.
      for (size_t k = 0; k < wanted.size(); ++k)
        CHECK(std::abs(layer.output().f32()[k] - wanted[k]) < 1.2e-5);
      // Linear in inputs and weights: only rounding is left.
      CHECK(layer.gradient_error(60) < 1e-3);
    }
  }
}

TEST_CASE("transposed convolution applies and undoes what it absorbs") {
  for (const char* name : {"relu", "tanh", "sigmoid"}) {
    CAPTURE(name);
    TestHost host;
    const Case e{{2, 4, 5, 3}, 4, {2}, {2}};
    LayerTest plain = make(host, e), fused = make(host, e, {epilogue_of(name, 0, 0)});
    plain.forward(), fused.forward();
    for (size_t i = 0; i < plain.output().f32().size(); ++i) {
      const double v = plain.output().f32()[i];
      const double wanted = name[0] == 'r'   ? std::max(v, 0.0)
                            : name[0] == 't' ? std::tanh(v)
                                             : 1 / (1 + std::exp(-v));
      CHECK(fused.output().f32()[i] == doctest::Approx(wanted).epsilon(1e-5).scale(1.0));
    }
    fused.output_gradients[0].randomize(5);
    for (size_t i = 0; i < plain.output().f32().size(); ++i) {
      const float y = fused.output().f32()[i];
      const float slope = name[0] == 'r' ? (y > 0 ? 1.0f : 0.0f) : name[0] == 't' ? 1 - y * y : y * (1 - y);
      plain.output_gradients[0].f32()[i] = fused.output_gradients[0].f32()[i] * slope;
    }
    plain.backward(), fused.backward();
    for (size_t i = 0; i < plain.input_gradients[0].f32().size(); ++i) {
      // 16 products of numbers within 1, each rounded.
      CHECK(std::abs(plain.input_gradients[0].f32()[i] - fused.input_gradients[0].f32()[i]) < 16 * 6e-8 * 2);
    }
  }
}

TEST_CASE("transposed convolution says what does not fit") {
  TestHost host;
  const auto fails = [&](const Case& e, const char* words) {
    CHECK_THROWS_WITH_AS(make(host, e), doctest::Contains(words), std::runtime_error);
  };
  fails({{1, 5, 5, 3}, 4, {3}, {1}, {0}, {0}, {1}, 2}, "3 channels do not fall into 2 groups");
  fails({{1, 5, 5, 2}, 3, {3}, {1}, {0}, {0}, {1}, 2}, "3 filters do not fall into 2 groups");
  fails({{1, 5, 5, 2}, 3, {3}, {2}, {0}, {2}}, "output_padding 2 is not less than the stride 2");
  fails({{1, 2, 2, 2}, 3, {3}, {1}, {2}}, "padding 2 on each side leaves nothing of an output of 4");
  fails({{4, 3}, 3, {3}}, "f32[4, 3]");
  fails({{1, 5, 5, 1}, 1, {3}, {1}, {int64_t{1} << 62}}, "is no number of 64 bits");
}
