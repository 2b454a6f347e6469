// Shaping, fusion, gradient flow and memory of small networks whose layers exist in this file only.
#include "plan/plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <plait/element_function.hpp>
#include <plait/kernel_notes.hpp>
#include <plait/sdk.hpp>

#include "plan/layer_order.h"
#include "plan/step_cost.h"
#include "plan/table.h"

namespace plait::inline plan {
namespace {

// Says what it runs, and what its rule took; `taken` is what it says it took.
struct Told {
  std::string by = "auto", taken = "own";
  static void describe(sdk::Describe<Told>& d) {
    d.doc("kernels that it tells of");
    d.field("by", &Told::by).doc("who computes").choices({"auto", "library", "own"});
    d.field("taken", &Told::taken).doc("what auto takes");
  }
  void infer(sdk::LayerShapes& s) const {
    s.output_like(0);
    s.weight("weight", {s.input().shape(1)}).init("ones");
    s.multiply_adds(static_cast<double>(s.input().size()));
  }
  struct Kernel {
    Kernel(const Told& config, sdk::Context& c, const sdk::LayerRequest&, sdk::LayerNeeds&) {
      const sdk::KernelNotes notes(c);
      if (config.by == "auto") notes.chose("by", config.taken.c_str());
      notes.forward("onednn:first"), notes.forward("own:second\n");
    }
    void forward(sdk::Context&, const sdk::LayerCall&) const {}
    void backward(sdk::Context&, const sdk::LayerCall&) const {}
  };
};

// y = x A: a weight, accepts "relu".
struct Linear {
  int64_t units = 1;
  static void describe(sdk::Describe<Linear>& d) {
    d.doc("a weight");
    d.field("units", &Linear::units).doc("width").range(1, 1e6);
  }
  void infer(sdk::LayerShapes& s) const {
    if (s.input().rank() != 2) s.fail("wanted rank 2");
    s.output({s.input().shape(0), units});
    s.weight("weight", {s.input().shape(1), units}).init("ones");
    s.accepts_epilogue("relu");
    s.multiply_adds(static_cast<double>(s.input().shape(0) * s.input().shape(1) * units));
  }
  void needs(const sdk::LayerRequest&, sdk::LayerNeeds&) const {}
  void forward(sdk::Context&, const sdk::LayerCall&) const {}
  void backward(sdk::Context&, const sdk::LayerCall&) const {}
};

// [3, 2] weights kept backwards.
struct Turned {
  static void describe(sdk::Describe<Turned>& d) { d.doc("an order of its own"); }
  void infer(sdk::LayerShapes& s) const {
    s.output({s.input().shape(0), 2});
    s.weight("weight", {3, 2});
  }
  void pack(sdk::Context&, uint32_t, const float* plain, float* stored) const {
    std::reverse_copy(plain, plain + 6, stored);
  }
  void unpack(sdk::Context&, uint32_t, const float* stored, float* plain) const {
    std::reverse_copy(stored, stored + 6, plain);
  }
  void forward(sdk::Context&, const sdk::LayerCall&) const {}
  void backward(sdk::Context&, const sdk::LayerCall&) const {}
};

struct Relu {
  static void describe(sdk::Describe<Relu>& d) { d.doc("max(x, 0)"); }
  void infer(sdk::LayerShapes& s) const {
    s.output_like(0);
    s.is_epilogue("relu");
  }
  void forward(sdk::Context&, const sdk::LayerCall&) const {}
  void backward(sdk::Context&, const sdk::LayerCall&) const {}
};

// Computes on 8-bit integers; keeps the range that it was made with.
struct Rounds {
  static inline std::optional<sdk::Range> made_with{};
  static void describe(sdk::Describe<Rounds>& d) { d.doc("takes a range"); }
  void infer(sdk::LayerShapes& s) const { s.output_like(0); }
  void needs(const sdk::LayerRequest& r, sdk::LayerNeeds& n) const {
    n.takes_int8();
    made_with = r.int8_range();
  }
  void forward(sdk::Context&, const sdk::LayerCall&) const {}
  void backward(sdk::Context&, const sdk::LayerCall&) const {}
};

struct Sum {
  static constexpr uint32_t min_inputs = 2, max_inputs = 2;
  static void describe(sdk::Describe<Sum>& d) { d.doc("a + b"); }
  void infer(sdk::LayerShapes& s) const { s.output_like(0); }
  void forward(sdk::Context&, const sdk::LayerCall&) const {}
  void backward(sdk::Context&, const sdk::LayerCall&) const {}
};

// Absorbs whatever brings its functions.
struct SumsAny : Sum {
  static void describe(sdk::Describe<SumsAny>& d) { d.doc("a + b, then a function"); }
  void infer(sdk::LayerShapes& s) const {
    s.output_like(0);
    s.accepts_epilogue(PLAIT_EPILOGUE_FUNCTIONS);
  }
};

struct Brings : sdk::ElementFunction<Brings> {
  double factor = 2;
  static void describe(sdk::Describe<Brings>& d) { d.doc("2 x"); }
  void apply(const float* x, float* y, size_t count) const {
    for (size_t i = 0; i < count; ++i) y[i] = static_cast<float>(factor) * x[i];
  }
  void undo(const float*, const float* dy, float* dx, size_t count) const {
    for (size_t i = 0; i < count; ++i) dx[i] = static_cast<float>(factor) * dy[i];
  }
};

struct Square {
  static void describe(sdk::Describe<Square>& d) { d.doc("sum of squares"); }
  void check(const sdk::LossShapes&) const {}
  void compute(sdk::Context&, const sdk::LossCall&) const {}
};

const Registry& registry() {
  static const sdk::PluginTable table("test.plan", "1", "none", sdk::layer<Linear>("test.linear"),
                                      sdk::layer<Relu>("test.relu"), sdk::layer<Turned>("test.turned"),
                                      sdk::layer<Sum>("test.sum"), sdk::layer<SumsAny>("test.sums_any"),
                                      sdk::layer<Told>("test.told"), sdk::layer<Brings>("test.brings"),
                                      sdk::layer<Rounds>("test.rounds"), sdk::loss<Square>("test.square"));
  static const Result<Registry> loaded = Registry::from_plugins({table.c()});
  REQUIRE_MESSAGE(loaded.is_ok(), loaded.status().message());
  return *loaded;
}

PluginSpec plugin(const std::string& id) {
  PluginSpec spec;
  const auto found = registry().named(id);
  REQUIRE(found.size() == 1);
  spec.entry = found.front();
  spec.config = default_config(*spec.entry->type).value();
  spec.where = {"net.txtpb", 3, 1};
  return spec;
}

LayerSpec layer(const std::string& name, const std::string& id, const std::vector<std::string>& inputs,
                int64_t units = 0) {
  LayerSpec spec;
  spec.name = name;
  spec.plugin = plugin(id);
  spec.where = {"net.txtpb", 3, 1};
  for (const std::string& input : inputs) spec.inputs.push_back({input, 0, {"net.txtpb", 3, 20}});
  if (units > 0) spec.plugin.config->fields[0].values = {ConfigValue(units)};
  return spec;
}

// x -> a (linear) -> r (relu) -> b (linear) ; loss on `last`.
Job chain(const std::string& last = "b") {
  Job job;
  job.name = "chain";
  job.layers = {layer("a", "test.linear", {"x"}, 8), layer("r", "test.relu", {"a"}),
                layer("b", "test.linear", {"r"}, 3)};
  LossSpec loss;
  loss.plugin = plugin("test.square");
  loss.inputs = {{last, 0, {}}};
  loss.targets = {{"x", 0, {}}};
  job.losses = {loss};
  return job;
}

std::vector<PartSpec> parts() { return {{"x", PLAIT_F32, {5}, -1}}; }

Network shaped(const Job& job, bool fuse = true) {
  Result<Network> network = shape_network(job, parts(), 4, fuse);
  REQUIRE_MESSAGE(network.is_ok(), network.status().message());
  return std::move(network).value();
}

std::unique_ptr<Plan> compiled(const Job& job, CompileOptions options = {}) {
  auto plan = Plan::compile(registry(), shaped(job), options);
  REQUIRE_MESSAGE(plan.is_ok(), plan.status().message());
  return std::move(plan).value();
}

}  // namespace

TEST_CASE("shapes, parameters and multiply-adds follow from the parts") {
  const Job job = chain();
  const Network network = shaped(job);
  CHECK(shape_text(network.tensors[static_cast<size_t>(network.tensor("b"))].spec) == "[4, 3] f32");
  REQUIRE(network.parameters.size() == 2);
  CHECK(network.parameters[0].name == "a.weight");
  CHECK(network.parameter_elements() == 5 * 8 + 8 * 3);
  CHECK(network.nodes[0].multiply_adds == 4 * 5 * 8);
}

TEST_CASE("an epilogue is absorbed unless somebody else reads what lies between") {
  const Job job = chain();
  const Network network = shaped(job);
  CHECK(network.nodes[1].absorbed_by == 0);
  CHECK(network.nodes[0].outputs == network.nodes[1].outputs);
  CHECK(compiled(job)->steps().size() == 2);

  Job read_between = chain();
  read_between.layers.push_back(layer("s", "test.sum", {"a", "r"}));
  CHECK(shaped(read_between).nodes[1].absorbed_by == -1);
  const Job loss_between = chain("a");
  CHECK(shaped(loss_between).nodes[1].absorbed_by == -1);
  CHECK(shaped(job, false).nodes[1].absorbed_by == -1);
}

TEST_CASE("a loss of several predictions contributes to the gradient of each") {
  Job job = chain();
  job.losses[0].inputs = {{"b", 0, {}}, {"a", 0, {}}};
  const auto plan = compiled(job);
  const LossStep& loss = plan->losses()[0];
  REQUIRE(loss.gradients.size() == 2);
  const Network& network = plan->network();
  const TensorPlace& b = plan->tensors()[static_cast<size_t>(network.tensor("b"))];
  const TensorPlace& a = plan->tensors()[static_cast<size_t>(network.tensor("a"))];
  CHECK(b.gradient == loss.gradients[0]);
  CHECK(b.contributions.empty());
  // The loss is the first that writes to it; what the layer after it says is added.
  CHECK(a.gradient == loss.gradients[1]);
  CHECK(a.contributions.size() == 1);
  CHECK(network.nodes[1].absorbed_by == -1);  // the loss reads what lies between
}

TEST_CASE("a deep network written from its end finds its order") {
  constexpr int kDepth = 200'000;
  Job job;
  for (int i = 0; i < kDepth; ++i) {
    LayerSpec layer;
    layer.name = std::to_string(i);
    layer.inputs.push_back({std::to_string(i + 1), 0, {}});
    job.layers.push_back(std::move(layer));
  }
  const auto order = layer_order(job);
  REQUIRE(order.is_ok());
  CHECK(order->front() == kDepth - 1);
  CHECK(order->back() == 0);
}

TEST_CASE("an order is found whatever the order in the file, and a cycle is named") {
  Job job = chain();
  std::swap(job.layers[0], job.layers[2]);
  CHECK(shaped(job).nodes[0].layer->name == "a");
  job.layers[2].inputs[0].layer = "b";
  const auto network = shape_network(job, parts(), 4);
  REQUIRE_FALSE(network.is_ok());
  CHECK(network.status().message().find("cycle: \"b\" <- \"r\" <- \"a\"") != std::string::npos);
}

TEST_CASE("what does not fit names both layers, their shapes and the place") {
  Job job = chain();
  job.layers.push_back(layer("s", "test.sum", {"a"}));
  auto network = shape_network(job, parts(), 4);
  REQUIRE_FALSE(network.is_ok());
  CHECK(network.status().message() ==
        "test.sum \"s\" (net.txtpb:3:1): has 1 inputs, wanted 2; its input is test.linear \"a\" "
        "(net.txtpb:3:1) [4, 8] f32");
  network = shape_network(chain(), {{"x", PLAIT_F32, {5, 5}, -1}}, 4);
  REQUIRE_FALSE(network.is_ok());
  CHECK(network.status().message().find(
            "wanted rank 2; its input is the samples' part \"x\" [4, 5, 5] f32") != std::string::npos);
  job = chain();
  job.layers[2].inputs[0] = {"r", 1, {"net.txtpb", 9, 9}};
  CHECK(shape_network(job, parts(), 4).status().message() == "net.txtpb:9:9: error: \"r\" has no output 1");
  job.layers[2].inputs[0] = {"q", 0, {"net.txtpb", 9, 9}};
  CHECK(shape_network(job, parts(), 4).status().message().find("reads \"q\"") != std::string::npos);
}

TEST_CASE("gradients are asked for only where something is trained") {
  const Job job = chain();
  const auto plan = compiled(job);
  CHECK(plan->steps()[0].input_gradients[0].offset == kNoOffset);  // samples need none
  CHECK(plan->steps()[1].input_gradients[0].offset != kNoOffset);
  Job frozen = chain();
  frozen.layers[0].frozen = true;
  const auto half = compiled(frozen);
  CHECK_FALSE(half->steps()[0].backward);
  CHECK(half->steps()[1].input_gradients[0].offset == kNoOffset);
  CHECK(half->trained_elements() == 32);  // 24 weights of "b", padded to 64 bytes
  frozen.layers[2].frozen = true;
  CHECK(Plan::compile(registry(), shaped(frozen), {}).status().message().find("nothing to train") == 0);
}

TEST_CASE("a tensor with two readers gets two contributions, an unread output a gradient of zeros") {
  Job job = chain();
  job.layers.push_back(layer("b2", "test.linear", {"r"}, 3));
  job.layers.push_back(layer("s", "test.sum", {"b", "b2"}));
  job.losses[0].inputs[0].layer = "s";
  const auto plan = compiled(job);
  const TensorPlace& place = plan->tensors()[static_cast<size_t>(plan->network().tensor("r"))];
  CHECK(place.gradient != kNoOffset);
  CHECK(place.contributions.size() == 1);
  CHECK(place.contributions[0] != place.gradient);
}

// Gathers where values and gradients of two sets of tensors lie.
bool any_overlap(const Plan& plan, const std::vector<std::string>& some,
                 const std::vector<std::string>& others) {
  const auto ranges = [&](const std::vector<std::string>& names) {
    std::vector<std::pair<uint64_t, uint64_t>> found;
    for (const std::string& name : names) {
      const TensorPlace& place = plan.tensors()[static_cast<size_t>(plan.network().tensor(name))];
      found.emplace_back(place.offset, place.offset + place.bytes);
      found.emplace_back(place.gradient, place.gradient + place.bytes);
    }
    return found;
  };
  for (const auto& [begin, end] : ranges(some))
    for (const auto& [other_begin, other_end] : ranges(others))
      if (begin < other_end && other_begin < end) return true;
  return false;
}

TEST_CASE("a chain shares memory on several lanes as on one; branches that run side by side share none") {
  CompileOptions wide;
  wide.lanes = 2;
  Job job = chain();
  job.layers = {layer("a", "test.linear", {"x"}, 64)};
  for (const std::string branch : {"p", "q"})
    for (int i = 0; i < 4; ++i)
      job.layers.push_back(layer(branch + std::to_string(i), "test.linear",
                                 {i > 0 ? branch + std::to_string(i - 1) : "a"}, 64));
  job.layers.push_back(layer("s", "test.sum", {"p3", "q3"}));
  job.losses[0].inputs[0].layer = "s";
  const auto plan = compiled(job, wide);
  CHECK_FALSE(any_overlap(*plan, {"p0", "p1", "p2", "p3"}, {"q0", "q1", "q2", "q3"}));
  const Job one_chain = chain();
  CHECK(compiled(one_chain)->activation_bytes() == compiled(one_chain, wide)->activation_bytes());
}

TEST_CASE("functions that an activation brings are absorbed by who accepts any, in host memory alone") {
  Job job = chain();
  job.layers = {layer("a", "test.sums_any", {"x", "x"}), layer("r", "test.brings", {"a"}),
                layer("b", "test.linear", {"r"}, 3), layer("o", "test.brings", {"b"})};
  job.losses[0].inputs[0].layer = "o";
  const Network network = shaped(job);
  CHECK(network.nodes[1].absorbed_by == 0);
  REQUIRE(network.nodes[0].epilogues.size() == 1);
  REQUIRE(network.nodes[0].epilogues[0].functions.has_value());
  const plait_epilogue e = network.nodes[0].epilogues[0].c();
  const float x = 3;
  float y = 0;
  e.forward(&e, &x, &y, 1);
  CHECK(y == 6);
  CHECK(network.nodes[3].absorbed_by == -1);  // test.linear knows relu alone
  const auto elsewhere = shape_network(job, parts(), 4, true, false);
  REQUIRE(elsewhere.is_ok());
  CHECK(elsewhere->nodes[1].absorbed_by == -1);
}

TEST_CASE("memory alive at the same time never overlaps") {
  Job job = chain();
  for (int i = 0; i < 6; ++i)
    job.layers.push_back(
        layer("l" + std::to_string(i), "test.linear", {i ? "l" + std::to_string(i - 1) : "b"}, 100 + i));
  job.losses[0].inputs[0].layer = "l5";
  CompileOptions wide;
  wide.lanes = 2;
  const auto narrow_plan = compiled(job), wide_plan = compiled(job, wide);
  for (const Plan* plan : {narrow_plan.get(), wide_plan.get()}) {
    const auto& tensors = plan->tensors();
    for (size_t i = 0; i < tensors.size(); ++i)  // all of them are read again by backward
      for (size_t j = 0; j < tensors.size(); ++j)
        if (i != j && tensors[i].offset != kNoOffset && tensors[j].offset != kNoOffset)
          CHECK((tensors[i].offset + tensors[i].bytes <= tensors[j].offset ||
                 tensors[j].offset + tensors[j].bytes <= tensors[i].offset));
  }
}

TEST_CASE("an evaluation that keeps its values gives every tensor memory of its own") {
  const Job job = chain();
  CompileOptions keeps;
  keeps.training = false;
  for (const int lanes : {1, 2}) {
    keeps.lanes = lanes;
    keeps.keeps_values = false;
    const auto shared = compiled(job, keeps);
    keeps.keeps_values = true;
    const auto plan = compiled(job, keeps);
    CHECK(plan->activation_bytes() >= shared->activation_bytes());
    uint64_t sum = 0;
    for (const TensorPlace& tensor : plan->tensors())
      if (tensor.offset != kNoOffset) sum += tensor.bytes;
    CHECK(plan->activation_bytes() >= sum);
  }
}

TEST_CASE(
    "ranges are given to a layer that takes them, in evaluation alone, and else refused with their line") {
  Job job = chain();
  job.layers[1] = layer("r", "test.rounds", {"a"});
  const auto step_of_r = [](const Plan& plan) -> const Step& { return plan.steps()[1]; };
  CompileOptions evaluation;
  evaluation.training = false;
  CHECK(step_of_r(*compiled(job, evaluation)).takes_int8 == std::vector<uint32_t>{0});
  CHECK_FALSE(Rounds::made_with);
  job.layers[1].ranges = {{0, -1, 2, {"net.txtpb", 3, 40}}};
  const auto plan = compiled(job, evaluation);
  REQUIRE(Rounds::made_with);
  CHECK(Rounds::made_with->low == -1);
  CHECK(Rounds::made_with->high == 2);
  CHECK(network_table(plan->network()).find("rounds (int8)") != std::string::npos);
  compiled(job);
  CHECK_FALSE(Rounds::made_with);  // in training

  const auto refused = [&](const std::vector<std::string>& words) {
    const auto made = Plan::compile(registry(), shaped(job), evaluation);
    REQUIRE_FALSE(made.is_ok());
    for (const std::string& word : words)
      CHECK_MESSAGE(made.status().message().find(word) != std::string::npos, made.status().message());
  };
  job.layers[1].ranges[0].input = 1;
  refused({"test.rounds \"r\"", "net.txtpb:3:40: int8: got input 1, and the layer has 1"});
  job.layers[1].ranges.clear();
  job.layers[0].ranges = {{0, 0, 2, {"net.txtpb", 2, 40}}};
  refused({"test.linear \"a\"",
           "net.txtpb:2:40: int8: a test.linear of this shape does not compute from input 0"});
}

TEST_CASE("the arena holds what is trained, then what is frozen; pack and unpack are inverse") {
  Job job = chain();
  job.layers[0].frozen = true;
  const auto plan = compiled(job);
  CHECK(plan->parameters()[1].offset == 0);
  CHECK(plan->parameters()[0].offset == plan->trained_elements());
  std::vector<std::vector<float>> plain(2), back;
  for (size_t p = 0; p < 2; ++p) {
    plain[p].resize(plan->network().parameters[p].elements);
    for (size_t i = 0; i < plain[p].size(); ++i) plain[p][i] = static_cast<float>(100 * p + i);
  }
  std::vector<float> arena(plan->arena_elements());
  REQUIRE(plan->pack(plain, arena.data()).is_ok());
  REQUIRE(plan->unpack(arena.data(), back).is_ok());
  CHECK(back == plain);
}

TEST_CASE("a layer's own order is kept even where it takes no more elements than the plain one") {
  Job job = chain();
  job.layers = {layer("a", "test.turned", {"x"})};
  job.losses[0].inputs[0].layer = "a";
  const auto network = shape_network(job, {{"x", PLAIT_F32, {3}, -1}}, 4);
  REQUIRE(network.is_ok());
  const auto plan = Plan::compile(registry(), *network, {});
  REQUIRE(plan.is_ok());
  std::vector<float> arena((*plan)->arena_elements());
  REQUIRE((*plan)->pack({{1, 2, 3, 4, 5, 6}}, arena.data()).is_ok());
  CHECK(arena[0] == 6);
  CHECK(arena[5] == 1);
}

TEST_CASE("shared parameters are owned once, and must have the owner's shapes") {
  Job job = chain();
  job.layers.push_back(layer("c", "test.linear", {"r"}, 3));
  job.layers.back().shares = "b";
  const Network network = shaped(job);
  CHECK(network.parameters.size() == 2);
  CHECK(network.nodes[3].parameters == network.nodes[2].parameters);
  job.layers.back().shares = "a";
  CHECK(shape_network(job, parts(), 4)
            .status()
            .message()
            .find("needs weight [8, 3] but shares a.weight [5, 8]") != std::string::npos);
}

TEST_CASE("initial values depend on seed and name only, and lie where they should") {
  ParameterInfo info;
  info.name = "a.weight";
  info.init = "torch_uniform";
  info.fan_in = 25;
  info.elements = 4096;
  std::vector<float> first(4096), again(4096), other(4096);
  REQUIRE(initial_values(info, 1, first.data()).is_ok());
  REQUIRE(initial_values(info, 1, again.data()).is_ok());
  REQUIRE(initial_values(info, 2, other.data()).is_ok());
  CHECK(first == again);
  CHECK(first != other);
  double sum = 0;
  for (float value : first) {
    CHECK(std::abs(value) <= 0.2f);
    sum += value;
  }
  // Deviation of the mean of 4096 uniform values over +-0.2: 0.2 / sqrt(3) / 64 = 0.0018; five of them.
  CHECK(std::abs(sum / 4096) < 5 * 0.0018);
  info.init = "he_norml";
  CHECK_FALSE(initial_values(info, 1, first.data()).is_ok());
}

TEST_CASE("what a step costs at least follows from shapes, and what it need not do is left out") {
  const Job job = chain();
  const auto costs = step_costs(*compiled(job));
  REQUIRE(costs.size() == 5);
  CHECK((costs[0].layer == "a" && costs[0].phase == "forward" && costs[2].phase == "loss"));
  CHECK(costs[0].multiply_adds == 4 * 5 * 8);
  CHECK(costs[0].bytes == 4 * (4 * 5 + 4 * 8 + 5 * 8));  // x, y, weights
  CHECK((costs[3].layer == "b" && costs[3].phase == "backward"));
  CHECK(costs[3].multiply_adds == 2 * 4 * 8 * 3);  // to its input, and to its weights
  // dy, x and y that it reads; weights and dx; the weights' gradient.
  CHECK(costs[3].bytes == 4 * (4 * 3 + 4 * 8 + 4 * 3 + 8 * 3 + 4 * 8 + 8 * 3));
  CHECK(costs[4].multiply_adds == 4 * 5 * 8);  // samples need no gradient
  CHECK(costs[4].bytes == 4 * (4 * 8 + 4 * 5 + 4 * 8 + 5 * 8));
  CHECK(costs[0].kernels == std::vector<std::string>{"own:test.linear"});
  CHECK(costs[2].kernels == std::vector<std::string>{"own:test.square"});
  CHECK(!costs[0].is_onednn());
}

TEST_CASE("a layer's kernels are as it tells them, and its choice is a value of its field") {
  Job job = chain();
  job.layers[1] = layer("r", "test.told", {"a"});
  const auto plan = compiled(job);
  const Kernels& told = plan->steps()[1].kernels;
  CHECK(told.forward == std::vector<std::string>{"onednn:first", "own:second\\x0a"});
  CHECK(told.backward == std::vector<std::string>{"own:test.told"});
  REQUIRE(told.choices.size() == 1);
  CHECK((told.choices[0].field == "by" && told.choices[0].value == "own"));
  CHECK(step_costs(*plan)[1].is_onednn());
  CHECK(kernel_table(step_costs(*plan)).find("  forward   own:second") != std::string::npos);

  job.layers[1].plugin.config->fields[1].values = {ConfigValue(std::string("nobody"))};
  const auto refused = Plan::compile(registry(), shaped(job), {});
  CHECK(refused.status().message().find("the choice nobody of by is not acceptable to the host") !=
        std::string::npos);
  CompileOptions evaluation;
  evaluation.training = false;
  job.layers[1].plugin.config->fields[0].values = {ConfigValue(std::string("library"))};
  const auto measured = compiled(job, evaluation);
  CHECK(measured->steps()[1].kernels.choices.empty());
  CHECK(measured->steps()[1].kernels.backward.empty());
  CHECK(step_costs(*measured)[1].phase == "evaluation");
}

TEST_CASE("the table shows every layer, the fused one inside its neighbour") {
  const Job job = chain();
  const std::string table = network_table(shaped(job));
  CHECK(table.find("in a") != std::string::npos);
  CHECK(table.find("64 parameters") != std::string::npos);
  CHECK(network_dot(shaped(job)).find("a test.linear + r test.relu") != std::string::npos);
}

TEST_CASE("the memory of a run is that of its largest moment") {
  RunMemory use;
  use.process = 1 << 20;
  use.weights = use.mean = 2 << 20;
  use.replicas = 5 << 20;
  use.workers = 2;
  use.evaluation = 1 << 20;
  use.scratch = 3 << 20;
  CHECK(use.total() == 13 << 20);  // validation and the writing of a checkpoint follow each other
  use.test = 20 << 20;             // replicas are gone by then
  CHECK(use.total() == 23 << 20);
  const std::string table = memory_table(use, 4);
  CHECK(table.find("memory: about 23.0 MiB a rank of 4 threads") != std::string::npos);
  CHECK(table.find("5.0 MiB  2 replicas: weights") != std::string::npos);
  CHECK(table.find("optimizer slots") == std::string::npos);
  use.stages = 30 << 20;   // when there are the weights, and no replicas
  use.exchange = 9 << 20;  // of runs under mpirun alone
  CHECK(use.total() == 33 << 20);
  CHECK(memory_table(use, 1).find("9.0 MiB  more a rank where there are several") != std::string::npos);
  CHECK(memory_table(use, 1).find("30.0 MiB  the largest stage") != std::string::npos);
}

}  // namespace plait::inline plan
