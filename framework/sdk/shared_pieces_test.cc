// Headers that sdk.hpp does not include, used as a stranger would: activations, windows, initializers,
// classes.
#include <doctest/doctest.h>

#include <algorithm>
#include <plait/activation.hpp>
#include <plait/classes.hpp>
#include <plait/initializers.hpp>
#include <plait/sdk/panels.hpp>
#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_metric.hpp>
#include <plait/spatial.hpp>
#include <plait/window.hpp>

namespace plait::sdk {
namespace {

using testing::LayerTest;
using testing::MetricTest;
using testing::Settings;
using testing::TestHost;

struct Mirror : SpatialLayer<Mirror> {
  static void describe(Describe<Mirror>& d) { d.doc("turns a picture round"); }
  int64_t extent(const SpatialAxes& x, int axis) const { return x.extent(axis); }
  AxisTaps taps(const SpatialAxes& x, int axis) const {
    AxisTaps made;
    for (int64_t o = 0; o < x.extent(axis); ++o) made.output({{x.extent(axis) - 1 - o, 1}});
    return made;
  }
};

struct Leaky : ActivationLayer<Leaky> {
  float slope = 0.25f;
  static void describe(Describe<Leaky>& d) {
    d.doc("x, or slope x below zero");
    d.field("slope", &Leaky::slope).doc("slope below zero").range(0, 1);
  }
  Activation activation() const { return {Activation::Kind::kRelu, slope, 0}; }
};

struct Line : ActivationLayer<Line> {
  static void describe(Describe<Line>& d) { d.doc("3 x - 1"); }
  Activation activation() const { return {Activation::Kind::kLinear, 3, -1}; }
};

struct First : Pooling {  // the first number of each window
  static void describe(Describe<First>& d) {
    d.doc("the first number of each window");
    describe_window(d);
  }
  struct Kernel {
    WindowWalk walk;
    size_t samples;
    Kernel(const First& config, Context&, const LayerRequest& r, LayerNeeds&)
        : walk(config.window(r.input()), static_cast<size_t>(r.input().shape(-1))),
          samples(static_cast<size_t>(r.input().shape(0))) {}
    void forward(Context&, const LayerCall& call) const {
      const In x = call.input().f32();
      const Out y = call.output().f32();
      for (size_t n = 0; n < samples; ++n)
        walk.each_window([&](const WindowAt& at) {
          for (size_t c = 0; c < walk.channels; ++c)
            y[n * walk.sample_outputs + at.output + c] =
                x[n * walk.sample_inputs + static_cast<size_t>(at.origin) + c];
        });
    }
    void backward(Context&, const LayerCall&) const {}
  };
};

struct Weights {
  std::string weight_init = kDefaultInitializer;
  static void describe(Describe<Weights>& d) {
    d.doc("has weights");
    d.field("weight_init", &Weights::weight_init).doc(kInitializerDoc).choices(kInitializers);
  }
  void infer(LayerShapes& s) const {
    s.output_like(0);
    initialize_weight(s.weight("weight", {2, 3}), weight_init, 3, 2);
    initialize_bias(s.bias("bias", 2), weight_init, 3, 2);
  }
  struct Kernel {
    Kernel(const Weights&, Context&, const LayerRequest&, LayerNeeds&) {}
    void forward(Context&, const LayerCall&) const {}
    void backward(Context&, const LayerCall&) const {}
  };
};

struct Hits : ClassShares<Hits> {
  static constexpr double kFactor = 1;
  static constexpr const char *kMeanDoc = "mean over classes", *kClassDoc = "of this class";
  static void describe(Describe<Hits>& d) { d.doc("share of each class that is found"); }
  void update(Context&, Tensor prediction, Tensor target, std::span<double> state) const {
    const ClassAnswers answers(prediction, target);
    for (size_t i = 0; i < answers.size(); ++i) {
      const auto label = answers.label(i);
      if (!label) continue;
      state[*label] += answers.best(i) == label;
      state[answers.classes() + *label] += 1;
    }
  }
};

PLAIT_FAST void multiply(const float* x, const float* panel, size_t d, float* sums) {
  multiply_panel<4>(x, panel, d, sums);
}

}  // namespace

TEST_CASE("an activation is a layer by its name alone") {
  const Entry leaky = layer<Leaky>("acme.leaky"), line = layer<Line>("acme.line");
  CHECK(testing::activation_error(leaky, Settings(leaky), [](double x) { return x > 0 ? x : x / 4; }) == 0);
  CHECK(testing::activation_gradient_error(leaky, Settings(leaky)) < 1e-3);
  // 3 x is rounded once, relative to 3 x; where 3 x - 1 is small against it, more of the rest is lost.
  CHECK(testing::activation_error(line, Settings(line), [](double x) { return 3 * x - 1; }) < 1e-4);
  TestHost host;
  CHECK(LayerTest(host, leaky, Settings(leaky), {{"x", DType::f32, {2}}}).epilogue == "relu");
  CHECK(LayerTest(host, line, Settings(line), {{"x", DType::f32, {2}}}).epilogue == "linear");
  CHECK_THROWS_WITH(LayerTest(host, leaky, Settings(leaky), {{"x", DType::i32, {2}}}),
                    doctest::Contains("input is i32[2], wanted f32"));
}

TEST_CASE("a pooling has fields and shapes, and refuses windows of padding alone") {
  const Entry first = layer<First>("acme.first");
  TestHost host;
  LayerTest pool(host, first, Settings(first).set("kernel", 2), {{"x", DType::f32, {1, 5, 1}}});
  pool.input().fill({1, 2, 3, 4, 5});
  pool.forward();
  CHECK(pool.output().f32().size() == 2);
  CHECK(pool.output().f32()[1] == 3);
  CHECK_THROWS_WITH(LayerTest(host, first, Settings(first).set("kernel", 2).set("padding", 2),
                              {{"x", DType::f32, {1, 5, 1}}}),
                    doctest::Contains("padding 2 is not smaller than the kernel 2"));
}

TEST_CASE("every word of an initializer is one that can be written, and the bias follows") {
  const Entry weights = layer<Weights>("acme.weights");
  TestHost host;
  for (const char* word : kInitializers) {
    const LayerTest made(host, weights, Settings(weights).set("weight_init", word),
                         {{"x", DType::f32, {1, 3}}});
    CHECK(made.fans == std::vector<std::pair<double, double>>{{3, 2}, {3, 2}});
  }
  // Which the host holds a file against.
  CHECK(weights.type.fields[0]->n_enum_names == kInitializers.size());
}

TEST_CASE("a spatial layer takes numbers from where its taps say") {
  const Entry mirror = layer<Mirror>("acme.mirror");
  TestHost host;
  LayerTest test(host, mirror, Settings(mirror), {{"x", DType::f32, {1, 2, 3, 1}}});
  test.input().fill({1, 2, 3, 4, 5, 6});
  test.forward();
  CHECK(std::ranges::equal(test.output().f32(), std::vector<float>{6, 5, 4, 3, 2, 1}));
  CHECK(test.gradient_error() < 1e-3);
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{2, 3}, {1, 2, 2, 2, 2, 2}})
    CHECK_THROWS_WITH(LayerTest(host, mirror, Settings(mirror), {{"x", DType::f32, shape}}),
                      doctest::Contains("wanted f32 [N, W, C]"));
}

TEST_CASE("shares of classes: a class that has none counts for nothing") {
  const Entry hits = metric<Hits>("acme.hits");
  TestHost host;
  MetricTest test(host, hits, Settings(hits), {"p", DType::f32, {3, 3}}, {"t", DType::i32, {3}},
                  {"cat", "dog", "fish"});
  test.prediction.fill({1, 0, 0, 1, 0, 0, 0, 1, 0});
  std::ranges::copy(std::vector<int32_t>{0, 1, 1}, test.target.view().data<int32_t>().begin());
  test.update();
  CHECK(test.names() == std::vector<std::string>{"", "cat", "dog", "fish"});
  CHECK(test.finish() == std::vector<double>{0.75, 1, 0.5, 0});
  CHECK_THROWS_WITH(
      MetricTest(host, hits, Settings(hits), {"p", DType::f32, {1, 5000}}, {"t", DType::i32, {1}}),
      doctest::Contains("wanted at most 4095 classes"));
}

TEST_CASE("a product with a panel is the sums of products in order") {
  constexpr size_t kWidth = 4, d = 37;
  std::vector<float> x(kPanelVectors * d), panel(d * kWidth), sums(kPanelVectors * kWidth);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7) - 3;
  for (size_t i = 0; i < panel.size(); ++i) panel[i] = static_cast<float>(i % 5) - 2;
  multiply(x.data(), panel.data(), d, sums.data());
  for (size_t v = 0; v < kPanelVectors; ++v)
    for (size_t c = 0; c < kWidth; ++c) {
      float wanted = 0;  // whole numbers: exact in any order
      for (size_t i = 0; i < d; ++i) wanted += x[v * d + i] * panel[i * kWidth + c];
      CHECK(sums[v * kWidth + c] == wanted);
    }
}

}  // namespace plait::sdk
