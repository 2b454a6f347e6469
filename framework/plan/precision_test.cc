// Networks in precision bf16: which tensors are of it, where conversions are, and what those compute.
#include <doctest/doctest.h>

#include <algorithm>
#include <plait/bf16.hpp>

#include "plan/convert.h"
#include "plan/plan.h"
#include "plan/table.h"

namespace plait::inline plan {
namespace {

// A weight; wants bf16 from `least` units on.
struct Product {
  int64_t units = 1, least = 1;
  static void describe(sdk::Describe<Product>& d) {
    d.doc("a weight");
    d.field("units", &Product::units).doc("width").range(1, 1e6);
    d.field("least", &Product::least).doc("units from which on bf16 is taken").range(1, 1e6);
  }
  void infer(sdk::LayerShapes& s) const {
    if (s.input().dtype() != sdk::DType::f32 && units < least) s.fail("too narrow for bf16");
    s.output({s.input().shape(0), units});
    s.weight("weight", {s.input().shape(1), units});
    s.accepts_epilogue("relu");
  }
  void forward(sdk::Context&, const sdk::LayerCall&) const {}
  void backward(sdk::Context&, const sdk::LayerCall&) const {}
};

struct Map {
  static void describe(sdk::Describe<Map>& d) { d.doc("max(x, 0)"); }
  void infer(sdk::LayerShapes& s) const {
    s.output_like(0);
    s.is_epilogue("relu");
  }
  void forward(sdk::Context&, const sdk::LayerCall&) const {}
  void backward(sdk::Context&, const sdk::LayerCall&) const {}
};

struct Sum {
  static constexpr uint32_t min_inputs = 2, max_inputs = 2;
  static void describe(sdk::Describe<Sum>& d) { d.doc("a + b"); }
  void infer(sdk::LayerShapes& s) const {
    if (s.input(0).dtype() != s.input(1).dtype()) s.fail("types differ");
    s.output_like(0);
  }
  void forward(sdk::Context&, const sdk::LayerCall&) const {}
  void backward(sdk::Context&, const sdk::LayerCall&) const {}
};

struct Square {
  static void describe(sdk::Describe<Square>& d) { d.doc("sum of squares"); }
  void check(const sdk::LossShapes& s) const {
    if (s.prediction().dtype() != sdk::DType::f32) throw sdk::Error("wanted f32");
  }
  void compute(sdk::Context&, const sdk::LossCall&) const {}
};

const Registry& registry() {
  static const sdk::PluginTable table(
      "test.precision", "1", "none", sdk::wants_bf16(sdk::layer<Product>("test.product")),
      sdk::takes_bf16(sdk::layer<Map>("test.map")), sdk::layer<Map>("test.plain"),
      sdk::takes_bf16(sdk::layer<Sum>("test.sum")), sdk::loss<Square>("test.square"));
  static const Result<Registry> loaded = Registry::from_plugins({table.c()});
  REQUIRE_MESSAGE(loaded.is_ok(), loaded.status().message());
  return *loaded;
}

PluginSpec plugin(const std::string& id) {
  PluginSpec spec;
  spec.entry = registry().named(id).front();
  spec.config = default_config(*spec.entry->type).value();
  return spec;
}

LayerSpec layer(const std::string& name, const std::string& id, const std::vector<std::string>& inputs,
                int64_t units = 0, int64_t least = 1) {
  LayerSpec spec;
  spec.name = name;
  spec.plugin = plugin(id);
  for (const std::string& input : inputs) spec.inputs.push_back({input, 0, {}});
  if (units > 0) spec.plugin.config->fields[0].values = {ConfigValue(units)};
  if (units > 0) spec.plugin.config->fields[1].values = {ConfigValue(least)};
  return spec;
}

Job job_of(std::vector<LayerSpec> layers, const std::string& last) {
  Job job;
  job.name = "job";
  job.train.precision = Precision::kBf16;
  job.layers = std::move(layers);
  LossSpec loss;
  loss.plugin = plugin("test.square");
  loss.inputs = {{last, 0, {}}};
  loss.targets = {{"x", 0, {}}};
  job.losses = {loss};
  return job;
}

Network shaped(const Job& job) {
  Result<Network> network = shape_network(job, {{"x", PLAIT_F32, {5}, -1}}, 4);
  REQUIRE_MESSAGE(network.is_ok(), network.status().message());
  return std::move(network).value();
}

// "a bf16, r bf16, ...": tensors in order.
std::string tensors_of(const Network& network) {
  std::string text;
  for (const TensorInfo& tensor : network.tensors)
    text += (text.empty() ? "" : ", ") + tensor.name + " " + dtype_name(tensor.spec.dtype);
  return text;
}

}  // namespace

TEST_CASE("what wants bf16 has its inputs converted, what takes it follows, and losses read f32") {
  const Job job = job_of({layer("a", "test.product", {"x"}, 8), layer("b", "test.product", {"a"}, 8),
                          layer("s", "test.sum", {"a", "b"})},
                         "s");
  const Network network = shaped(job);
  CHECK(tensors_of(network) == "x f32, x bf16, a bf16, b bf16, s bf16, s f32");
  CHECK(network.tensor("s") == 5);
  CHECK(network.tensor("a") == 2);
  CHECK(network.tensor("x") == 0);
  CHECK(network.unconverted(5) == 4);
  CHECK(network.losses[0].inputs == std::vector<int>{5});
  CHECK(network.losses[0].targets == std::vector<int>{0});
}

TEST_CASE("a layer that does not know bf16 reads f32, and what takes bf16 goes on in it") {
  const Job job = job_of({layer("a", "test.product", {"x"}, 8), layer("p", "test.plain", {"a"}),
                          layer("m", "test.map", {"p"}), layer("s", "test.sum", {"m", "a"})},
                         "s");
  const Network network = shaped(job);
  CHECK(tensors_of(network) == "x f32, x bf16, a bf16, a f32, p f32, m f32, m bf16, s bf16, s f32");
  CHECK(network_table(network).find("precision bf16, except layers that stay in f32: p, m\n") !=
        std::string::npos);
}

TEST_CASE("a layer whose infer refuses bf16 stays in f32") {
  const Job job =
      job_of({layer("a", "test.product", {"x"}, 8), layer("b", "test.product", {"a"}, 3, 4)}, "b");
  CHECK(tensors_of(shaped(job)) == "x f32, x bf16, a bf16, a f32, b f32");
}

TEST_CASE("a job in f32 has no conversions") {
  Job job = job_of({layer("a", "test.product", {"x"}, 8), layer("m", "test.map", {"a"})}, "m");
  job.train.precision = Precision::kF32;
  const Network network = shaped(job);
  CHECK(tensors_of(network) == "x f32, a f32, m f32");
  CHECK(network_table(network).find("precision") == std::string::npos);
}

TEST_CASE("what is absorbed is of the type that its layer writes") {
  const Network half =
      shaped(job_of({layer("a", "test.product", {"x"}, 8), layer("m", "test.map", {"a"})}, "m"));
  CHECK(half.nodes[2].absorbed_by == 1);
  const Network plain =
      shaped(job_of({layer("a", "test.product", {"x"}, 8), layer("m", "test.plain", {"a"})}, "m"));
  for (const NodeInfo& node : plain.nodes) CHECK(node.absorbed_by == -1);
}

TEST_CASE("an output that nobody reads is there in f32") {
  Job job = job_of({layer("a", "test.product", {"x"}, 8), layer("b", "test.product", {"x"}, 8)}, "a");
  CHECK(tensors_of(shaped(job)) == "x f32, x bf16, a bf16, b bf16, a f32, b f32");
}

TEST_CASE("gradients go back through conversions, halves take half the memory, and parts have none") {
  const Job job = job_of({layer("a", "test.product", {"x"}, 8), layer("b", "test.product", {"a"}, 8)}, "b");
  const auto plan = Plan::compile(registry(), shaped(job), {});
  REQUIRE_MESSAGE(plan.is_ok(), plan.status().message());
  const auto& steps = (*plan)->steps();
  REQUIRE(steps.size() == 4);  // x to bf16, a, b, b to f32
  CHECK_FALSE(steps[0].backward);
  CHECK(steps[3].backward);
  CHECK(steps[3].input_gradients[0].offset != kNoOffset);
  CHECK((*plan)->tensors()[static_cast<size_t>(steps[2].outputs[0])].bytes == 4 * 8 * 2);
  CHECK((*plan)->tensors()[static_cast<size_t>(steps[3].outputs[0])].bytes == 4 * 8 * 4);
  for (const ParameterPlace& place : (*plan)->parameters()) CHECK(place.trained);
}

TEST_CASE("a conversion rounds forward and is exact backward, in pieces too") {
  const MadeLayer made = make_conversion();
  const int64_t shape[] = {3, 40'000};
  constexpr size_t kCount = 120'000;
  std::vector<float> x(kCount), dx(kCount);
  std::vector<uint16_t> y(kCount), dy(kCount);
  for (size_t i = 0; i < kCount; ++i) {
    x[i] = 1 + static_cast<float>(i) * 0x1p-17f;
    dy[i] = static_cast<uint16_t>(0x3F80 + i % 99);
  }
  const auto tensor = [&](uint32_t dtype, void* data) {
    plait_tensor t{};
    t.struct_size = sizeof t, t.dtype = dtype, t.rank = 2, t.variable_axis = -1, t.shape = shape,
    t.data = data;
    return t;
  };
  const plait_tensor tensors[] = {tensor(PLAIT_F32, x.data()), tensor(PLAIT_BF16, y.data()),
                                  tensor(PLAIT_BF16, dy.data()), tensor(PLAIT_F32, dx.data())};
  const plait_tensor* const pointers[] = {&tensors[0], &tensors[1], &tensors[2], &tensors[3]};
  plait_layer_call call{};
  call.struct_size = sizeof call;
  call.inputs = pointers, call.outputs = pointers + 1;
  call.output_gradients = pointers + 2, call.input_gradients = pointers + 3;
  CallContext context;
  REQUIRE(made.instance.ops().forward(nullptr, context.raw(), &call) == PLAIT_OK);
  REQUIRE(made.instance.ops().backward(nullptr, context.raw(), &call) == PLAIT_OK);
  size_t wrong = 0;
  for (size_t i = 0; i < kCount; ++i)
    wrong += y[i] != sdk::bf16_of_f32(x[i]) || dx[i] != sdk::f32_of_bf16(dy[i]) ? 1 : 0;
  CHECK(wrong == 0);
}

}  // namespace plait::inline plan
