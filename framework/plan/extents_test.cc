// Two variable axes: who takes them, and how far samples reach through layers.
#include <doctest/doctest.h>

#include <plait/sdk.hpp>

#include "plan/network.h"

namespace plait::inline plan {
namespace {

// Every other row: [N, H, W, C] -> [N, (H + 1) / 2, W, C]. `wrong`: a rule that does not make that of H.
struct Halve {
  static constexpr bool two_axes = true;
  int64_t wrong = 0;
  static void describe(sdk::Describe<Halve>& d) {
    d.doc("half the rows");
    d.field("wrong", &Halve::wrong).doc("what the rule adds beside 1");
  }
  void infer(sdk::LayerShapes& s) const {
    const sdk::Spec x = s.input();
    sdk::PartSpec& y = s.output({x.shape(0), (x.shape(1) + 1) / 2, x.shape(2), x.shape(3)});
    y.variable_axis = x.variable_axis(), y.second_axis = x.second_axis();
    if (x.varies(1)) s.extent(1, 1, 1, 1 + wrong, 2);
  }
  void forward(sdk::Context&, const sdk::LayerCall&) const {}
  void backward(sdk::Context&, const sdk::LayerCall&) const {}
};

struct Twice {
  static void describe(sdk::Describe<Twice>& d) { d.doc("2 x, and elementwise"); }
  void forward(sdk::Context&, sdk::In, sdk::Out) const {}
  void backward(sdk::Context&, sdk::In, sdk::In, sdk::Out) const {}
};

// One number a channel, without a word of extents.
struct Whole {
  static void describe(sdk::Describe<Whole>& d) { d.doc("one number"); }
  void infer(sdk::LayerShapes& s) const { s.output({s.input().shape(0), 1}); }
  void forward(sdk::Context&, const sdk::LayerCall&) const {}
  void backward(sdk::Context&, const sdk::LayerCall&) const {}
};

struct Sum {
  static constexpr bool two_axes = true;
  static void describe(sdk::Describe<Sum>& d) { d.doc("one number"); }
  void infer(sdk::LayerShapes& s) const { s.output({s.input().shape(0), 1}); }
  void forward(sdk::Context&, const sdk::LayerCall&) const {}
  void backward(sdk::Context&, const sdk::LayerCall&) const {}
};

struct Half {
  static void describe(sdk::Describe<Half>& d) { d.doc("a loss"); }
  void check(const sdk::LossShapes&) const {}
  void compute(sdk::Context&, const sdk::LossCall&) const {}
};

const Registry& plugins() {
  static const sdk::PluginTable table("test.extents", "1", "none", sdk::layer<Halve>("plait.halve"),
                                      sdk::layer<Twice>("plait.twice"), sdk::layer<Whole>("plait.whole"),
                                      sdk::layer<Sum>("plait.sum"), sdk::loss<Half>("plait.half"));
  static const Result<Registry> loaded = Registry::from_plugins({table.c()});
  REQUIRE_MESSAGE(loaded.is_ok(), loaded.status().message());
  return *loaded;
}

PluginSpec plugin(const std::string& id, std::optional<int64_t> field = std::nullopt) {
  PluginSpec spec;
  const auto found = plugins().named(id);
  REQUIRE(found.size() == 1);
  spec.entry = found.front();
  spec.config = default_config(*spec.entry->type).value();
  if (field) spec.config->fields[0].values = {ConfigValue(*field)};
  return spec;
}

// image -> the layers one after the other ("a", "b", ...) -> a loss on the last.
Job job_of(std::vector<PluginSpec> layers) {
  Job job;
  job.name = "net";
  std::string last = "image";
  for (PluginSpec& one : layers) {
    LayerSpec layer;
    layer.name = std::string(1, static_cast<char>('a' + job.layers.size()));
    layer.plugin = std::move(one);
    layer.inputs = {{last, 0, {}}};
    last = layer.name;
    job.layers.push_back(std::move(layer));
  }
  LossSpec loss;
  loss.plugin = plugin("plait.half");
  loss.inputs = {{last, 0, {}}};
  loss.targets = {{"label", 0, {}}};
  job.losses = {loss};
  return job;
}

// The images are at most 7 high and 4 wide.
Result<Network> shaped(std::vector<PluginSpec> layers, int second_axis = 1) {
  return shape_network(job_of(std::move(layers)),
                       {{"image", PLAIT_F32, {7, 4, 3}, 0, second_axis}, {"label", PLAIT_F32, {1}}}, 2,
                       false);
}

std::string refusal(std::vector<PluginSpec> layers) { return shaped(std::move(layers)).status().message(); }

bool says(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("extents go through layers by their rules, else by the axis") {
  const auto network = shaped({plugin("plait.halve"), plugin("plait.twice"), plugin("plait.sum")});
  REQUIRE_MESSAGE(network.is_ok(), network.status().message());
  const TensorInfo& image = network->tensors[0];
  CHECK(image.spec.variable_axis == 1);
  CHECK(image.spec.second_axis == 2);
  const TensorInfo& halved = network->tensors[static_cast<size_t>(network->tensor("a"))];
  CHECK(halved.spec.shape == std::vector<int64_t>{2, 4, 4, 3});
  CHECK(halved.extents[0].tensor == 0);
  CHECK(halved.extents[0].axis == 0);
  CHECK_FALSE(halved.extents[0].is_same());
  for (const auto& [in, out] : {std::pair{0, 0}, {1, 1}, {2, 1}, {3, 2}, {6, 3}, {7, 4}, {90, 4}})
    CHECK(halved.extents[0](in) == out);
  // Its width is 4 as its halved height: the axis says whose it is.
  CHECK(halved.extents[1].tensor == 0);
  CHECK(halved.extents[1].axis == 1);
  CHECK(halved.extents[1].is_same());
  const TensorInfo& twice = network->tensors[static_cast<size_t>(network->tensor("b"))];
  for (int k = 0; k < 2; ++k) {
    CHECK(twice.extents[k].tensor == network->tensor("a"));
    CHECK(twice.extents[k].axis == k);
  }
}

TEST_CASE("who does not say that it takes two axes is refused by name") {
  CHECK(says(refusal({plugin("plait.whole")}),
             "input 0 [2, <=7, <=4, 3] f32 varies along axes 1 and 2, wanted at most one that varies; its "
             "input is the samples' part \"image\""));
  CHECK(shaped({plugin("plait.whole")}, -1).is_ok());
  CHECK(says(refusal({plugin("plait.twice")}), "\"a\" [2, <=7, <=4, 3] f32 varies along axes 1 and 2"));
}

TEST_CASE("a rule that does not make the output's own extent is refused") {
  CHECK(says(refusal({plugin("plait.halve", 1)}), "of the input's 7 the rule makes 4") == false);
  CHECK(says(refusal({plugin("plait.halve", 2)}), "of the input's 7 the rule makes 5, but the output has 4"));
  CHECK(says(refusal({plugin("plait.halve", int64_t{1} << 41)}), "by numbers that no extent needs"));
}

}  // namespace plait::inline plan
