// Layers of each form, run through the C tables alone.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <plait/sdk.hpp>
#include <plait/sdk/testing.hpp>

namespace plait::sdk {
namespace {

using testing::LayerTest;
using testing::Settings;
using testing::TestHost;

struct Swish {
  float beta = 1.0f;
  static void describe(Describe<Swish>& d) {
    d.doc("x * sigmoid(beta * x)");
    d.field("beta", &Swish::beta).doc("steepness of the gate").range(0, 100);
  }
  void validate() const {
    if (beta == 13) throw Error("beta must not be ", beta);
  }
  void forward(Context& c, In x, Out y) const {
    c.parallel_for(x.size(), [&](size_t i) { y[i] = x[i] / (1 + std::exp(-beta * x[i])); });
  }
  void backward(Context& c, In x, In dy, Out dx) const {
    c.parallel_for(x.size(), [&](size_t i) {
      const float s = 1 / (1 + std::exp(-beta * x[i]));
      dx[i] = dy[i] * (s + beta * x[i] * s * (1 - s));
    });
  }
};

struct Tanh {
  static constexpr bool in_place = true;
  static void describe(Describe<Tanh>& d) { d.doc("tanh x"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = std::tanh(x[i]);
  }
  void backward_from_output(Context&, In y, In dy, Out dx) const {
    for (size_t i = 0; i < y.size(); ++i) dx[i] = dy[i] * (1 - y[i] * y[i]);
  }
};

// y = x W, with W stored transposed: pack and unpack have something to do.
struct Linear {
  int64_t units = 0;
  static void describe(Describe<Linear>& d) {
    d.doc("y = x W");
    d.field("units", &Linear::units).doc("outputs").range(1, 1000).required();
  }
  void infer(LayerShapes& s) const {
    if (s.input().rank() != 2) s.fail("input is ", s.input(), ", wanted [N, C]");
    const int64_t n = s.input().shape(0), c = s.input().shape(-1);
    s.output({n, units});
    s.weight("weight", {c, units}).init("he_normal").fans(static_cast<double>(c), static_cast<double>(units));
    s.multiply_adds(static_cast<double>(n * c * units));
    s.accepts_epilogue("relu");
  }
  struct Kernel {
    size_t n, c, k;
    Kernel(const Linear& config, Context&, const LayerRequest& r, LayerNeeds& needs)
        : n(static_cast<size_t>(r.input().shape(0))),
          c(static_cast<size_t>(r.input().shape(1))),
          k(static_cast<size_t>(config.units)) {
      if (r.output().shape(1) != config.units) throw Error("the request has other outputs");
      needs.backward_reads(Reads::inputs);
      needs.saved(16);
    }
    Kernel(const Kernel&) = delete;
    void forward(Context&, const LayerCall& call) const {
      const Out x = call.input().f32(), y = call.output().f32();
      const float* w = call.parameter(0);
      for (size_t i = 0; i < n * k; ++i) {
        float sum = 0;
        for (size_t j = 0; j < c; ++j) sum += x[i / k * c + j] * w[i % k * c + j];
        y[i] = sum;
      }
      call.saved<double>()[1] = 4;
    }
    void backward(Context&, const LayerCall& call) const {
      const Out x = call.input().f32(), dy = call.output_gradient().f32(), dx = call.input_gradient().f32();
      const float* w = call.parameter(0);
      float* dw = call.parameter_gradient(0);
      std::fill(dx.begin(), dx.end(), 0.0f);
      std::fill(dw, dw + c * k, 0.0f);
      for (size_t i = 0; i < n * k; ++i) {
        for (size_t j = 0; j < c; ++j) {
          dx[i / k * c + j] += dy[i] * w[i % k * c + j];
          dw[i % k * c + j] += dy[i] * x[i / k * c + j];
        }
      }
    }
    void pack(Context&, uint32_t, const float* plain, float* stored) const {
      for (size_t i = 0; i < c * k; ++i) stored[i % k * c + i / k] = plain[i];
    }
    void unpack(Context&, uint32_t, const float* stored, float* plain) const {
      for (size_t i = 0; i < c * k; ++i) plain[i] = stored[i % k * c + i / k];
    }
  };
};

// Any number of inputs, no kernel of its own; the buffer counts training steps.
struct Sum {
  static constexpr uint32_t min_inputs = 2, max_inputs = kAnyInputs;
  static void describe(Describe<Sum>& d) { d.doc("sum of the inputs"); }
  void infer(LayerShapes& s) const {
    s.output_like(0);
    s.buffer("steps", {1}).reduce(Reduce::none);
  }
  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }
  void forward(Context&, const LayerCall& call) const {
    const Out y = call.output().f32();
    std::fill(y.begin(), y.end(), 0.0f);
    for (size_t k = 0; k < call.inputs(); ++k) {
      for (size_t i = 0; i < y.size(); ++i) y[i] += call.input(k).f32()[i];
    }
    if (call.training()) call.buffer(0)[0] += 1;
  }
  void backward(Context&, const LayerCall& call) const {
    for (size_t k = 0; k < call.inputs(); ++k) {
      if (!call.input_gradient(k)) continue;
      std::ranges::copy(call.output_gradient().f32(), call.input_gradient(k).f32().begin());
    }
  }
};

// Throws where it is told to.
struct Broken {
  std::string where = "nowhere";
  static void describe(Describe<Broken>& d) {
    d.doc("fails");
    d.field("where", &Broken::where)
        .doc("place")
        .choices({"nowhere", "forward", "loop", "memory", "other", "wild"});
  }
  void forward(Context& c, In x, Out y) const {
    if (where == "forward") throw Error(ErrorCode::kNumeric, "infinite at step ", 3);
    if (where == "memory") throw std::bad_alloc();
    if (where == "other") throw std::runtime_error("what a library says");
    if (where == "wild") throw 3;
    c.parallel_for(x.size(), 16, [&](size_t i) {
      if (where == "loop" && i == 100) throw Error("element ", i, " is bad");
      y[i] = x[i];
    });
    c.stop_if_cancelled();
  }
  void backward(Context&, In, In, Out) const {}
};

TEST_CASE("elementwise: values, gradient, what it reads") {
  TestHost host;
  const Entry swish = layer<Swish>("acme.swish");
  LayerTest test(host, swish, Settings(swish).set("beta", 2.0), {{"x", DType::f32, {4, 7}}});
  test.forward();
  for (size_t i = 0; i < 28; ++i) {
    const double x = test.input().f32()[i];
    CHECK(test.output().f32()[i] == doctest::Approx(x / (1 + std::exp(-2 * x))));
  }
  CHECK(test.output().spec().shape == std::vector<int64_t>{4, 7});
  CHECK(test.backward_reads == PLAIT_READS_INPUTS);
  CHECK(!test.in_place);
  CHECK(test.gradient_error() < 1e-3);
}

TEST_CASE("elementwise from the output may be in place") {
  TestHost host;
  const Entry tanh = layer<Tanh>("acme.tanh");
  LayerTest test(host, tanh, Settings(tanh), {{"x", DType::f32, {2, 3, 3, 5}}});
  CHECK(test.in_place);
  CHECK(test.backward_reads == PLAIT_READS_OUTPUTS);
  CHECK(test.gradient_error() < 1e-3);
}

struct Told {
  static void describe(Describe<Told>& d) { d.doc("tells its order"); }
  static void ports(Ports& p) {
    p.input("x", "[N, C]").doc("lengths").unit("mm").repeated();
    p.parameter("weight", "[C]");
    p.buffer("mean");
  }
  void forward(Context&, In x, Out y) const { std::copy(x.begin(), x.end(), y.begin()); }
  void backward(Context&, In, In dy, Out dx) const { std::copy(dy.begin(), dy.end(), dx.begin()); }
};

TEST_CASE("ports tell what they are") {
  const auto& rules = *static_cast<const plait_layer_rules*>(layer<Told>("acme.told").type.rules);
  REQUIRE(rules.input_ports->count == 1);
  const plait_port& x = *rules.input_ports->ports[0];
  CHECK(std::string(x.name) + x.shape + x.doc + x.unit == "x[N, C]lengthsmm");
  CHECK(x.flags == PLAIT_PORT_REPEATED);
  CHECK(rules.output_ports == nullptr);
  CHECK(std::string(rules.parameter_ports->ports[0]->name) == "weight");
  CHECK(rules.buffer_ports->ports[0]->shape == nullptr);
}

TEST_CASE("elementwise wants f32") {
  TestHost host;
  const Entry swish = layer<Swish>("acme.swish");
  CHECK_THROWS_WITH(LayerTest(host, swish, Settings(swish), {{"x", DType::u8, {4, 7}}}),
                    "input is u8[4, 7], wanted f32");
}

TEST_CASE("a kernel with packed weights") {
  TestHost host;
  const Entry linear = layer<Linear>("acme.linear");
  LayerTest test(host, linear, Settings(linear).set("units", 3), {{"x", DType::f32, {2, 5}}});
  CHECK(test.parameters.at(0).spec().shape == std::vector<int64_t>{5, 3});
  CHECK(test.multiply_adds == 30);
  CHECK(test.accepted_epilogues == std::vector<std::string>{"relu"});
  CHECK(test.saved_bytes == 16);
  CHECK(test.gradient_error() < 1e-3);
  double y = 0;
  for (size_t j = 0; j < 5; ++j) y += test.input().f32()[5 + j] * test.parameters[0].f32()[j * 3 + 2];
  CHECK(test.output().f32()[5] == doctest::Approx(y));
  CHECK_THROWS_WITH(LayerTest(host, linear, Settings(linear).set("units", 3), {{"x", DType::f32, {2, 5, 5}}}),
                    "input is f32[2, 5, 5], wanted [N, C]");
}

TEST_CASE("several inputs and a buffer") {
  TestHost host;
  const Entry sum = layer<Sum>("acme.sum");
  const auto* rules = static_cast<const plait_layer_rules*>(sum.type.rules);
  CHECK(rules->min_inputs == 2);
  CHECK(rules->max_inputs == UINT32_MAX);
  LayerTest test(host, sum, Settings(sum),
                 {{"a", DType::f32, {3}}, {"b", DType::f32, {3}}, {"c", DType::f32, {3}}});
  CHECK(test.backward_reads == 0);
  CHECK(test.gradient_error() < 1e-3);
  test.training = false;
  const float before = test.buffers.at(0).f32()[0];
  test.forward();
  CHECK(test.buffers[0].f32()[0] == before);
}

TEST_CASE("what is thrown arrives as code and text, from loops on several threads too") {
  TestHost host;
  host.lanes = 3;
  const Entry broken = layer<Broken>("acme.broken");
  const auto run = [&](const char* where) {
    LayerTest test(host, broken, Settings(broken).set("where", where), {{"x", DType::f32, {500}}});
    test.forward();
  };
  CHECK_NOTHROW(run("nowhere"));
  CHECK_THROWS_WITH(run("forward"), "infinite at step 3");
  CHECK(host.code == PLAIT_ERROR_NUMERIC);
  CHECK_THROWS_WITH(run("loop"), "element 100 is bad");
  CHECK(host.code == PLAIT_ERROR_INVALID);
  CHECK_THROWS_WITH(run("memory"), "out of memory");
  CHECK(host.code == PLAIT_ERROR_MEMORY);
  CHECK_THROWS_WITH(run("other"), "what a library says");
  CHECK(host.code == PLAIT_ERROR_EXCEPTION);
  CHECK_THROWS_WITH(run("wild"), "an exception of an unknown type");
  host.cancel = true;
  CHECK_THROWS_WITH(run("nowhere"), "cancelled");
  CHECK(host.code == PLAIT_ERROR_CANCELLED);
}

TEST_CASE("validate is asked by the host and before every use") {
  TestHost host;
  const Entry swish = layer<Swish>("acme.swish");
  const Settings bad = Settings(swish).set("beta", 13.0);
  CHECK(swish.type.validate(host.context(), bad.c()) == PLAIT_FAILED);
  CHECK(host.message == "beta must not be 13");
  CHECK(swish.type.validate(host.context(), Settings(swish).c()) == PLAIT_OK);
  CHECK_THROWS_WITH(LayerTest(host, swish, bad, {{"x", DType::f32, {1}}}), "beta must not be 13");
}

struct Numbered {  // a layer that wants whole numbers of a range
  static void describe(Describe<Numbered>& d) { d.doc("passes whole numbers on"); }
  void infer(LayerShapes& s) const {
    s.output_like(0);
    s.input_range(0, 0, 9);
  }
  void forward(Context&, const LayerCall& call) const {
    std::ranges::copy(call.input().data<int32_t>(), call.output().data<int32_t>().begin());
  }
  void backward(Context&, const LayerCall&) const {}
};

TEST_CASE("a layer that tells the range of its input can be tested") {
  TestHost host;
  const Entry numbered = layer<Numbered>("acme.numbered");
  LayerTest test(host, numbered, Settings(numbered), {{"x", DType::i32, {2}}});
  CHECK(test.input_ranges == std::vector<LayerTest::InputRange>{{0, 0, 9}});
  test.input().data<int32_t>()[1] = 8;
  test.forward();
  CHECK(test.output().data<int32_t>()[1] == 8);
}

TEST_CASE("every element is visited once whatever the number of lanes") {
  TestHost host;
  for (const int lanes : {1, 4}) {
    host.lanes = lanes;
    Context c(host.context());
    std::vector<int> visits(1000);
    c.parallel_for(1000, 7, [&](size_t begin, size_t end) {
      CHECK(begin % 7 == 0);
      for (size_t i = begin; i < end; ++i) ++visits[i];
    });
    CHECK(visits == std::vector<int>(1000, 1));
  }
}

}  // namespace
}  // namespace plait::sdk
