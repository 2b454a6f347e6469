// Which buckets a network has, and the plans for them.
#include "plan/buckets.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <plait/sdk.hpp>
#include <thread>

#include "plan/plan_cache.h"

namespace plait::inline plan {
namespace {

// x [N, W, C] -> [N, W, C] with a weight per channel; `turned`: kept backwards where W is above 16.
struct Each {
  int64_t turned = 0;
  static void describe(sdk::Describe<Each>& d) {
    d.doc("a weight per channel");
    d.field("turned", &Each::turned).doc("keeps weights of long sequences backwards");
  }
  void infer(sdk::LayerShapes& s) const {
    s.output_like(0).variable_axis = 1;
    s.weight("weight", {s.input().shape(2)}).init("ones");
  }
  struct Kernel;
};

struct Each::Kernel {
  bool backwards;
  Kernel(const Each& config, sdk::Context&, const sdk::LayerRequest& r, sdk::LayerNeeds&)
      : backwards(config.turned != 0 && r.input().shape(1) > 16) {}
  void pack(sdk::Context&, uint32_t, const float* plain, float* stored) const {
    std::copy_n(plain, 3, stored);
    if (backwards) std::reverse(stored, stored + 3);
  }
  void unpack(sdk::Context& c, uint32_t index, const float* stored, float* plain) const {
    pack(c, index, stored, plain);
  }
  void forward(sdk::Context&, const sdk::LayerCall&) const {}
  void backward(sdk::Context&, const sdk::LayerCall&) const {}
};

// x [N, W, C] -> [N, 1], and of a second input [N, V] such an output; a weight per place where `places`, and
// at least `least` of them.
struct Whole {
  static constexpr uint32_t min_inputs = 1, max_inputs = 2;
  int64_t places = 0, least = 1;
  static void describe(sdk::Describe<Whole>& d) {
    d.doc("one number");
    d.field("places", &Whole::places).doc("a weight per place");
    d.field("least", &Whole::least).doc("places that it needs");
  }
  void infer(sdk::LayerShapes& s) const {
    if (s.input().shape(1) < least) s.fail("too short");
    s.output({s.input().shape(0), 1});
    if (s.inputs() > 1) s.output({s.input(0).shape(0), s.input(1).shape(1)}).variable_axis = 1;
    s.weight("weight", {places != 0 ? s.input().shape(1) : 1}).init("ones");
  }
  void forward(sdk::Context&, const sdk::LayerCall&) const {}
  void backward(sdk::Context&, const sdk::LayerCall&) const {}
};

struct Half {
  static void describe(sdk::Describe<Half>& d) { d.doc("a loss"); }
  void check(const sdk::LossShapes&) const {}
  void compute(sdk::Context&, const sdk::LossCall&) const {}
};

const Registry& registry() {
  static const sdk::PluginTable table("test.buckets", "1", "none", sdk::layer<Each>("plait.each"),
                                      sdk::layer<Whole>("plait.whole"), sdk::loss<Half>("plait.half"));
  static const Result<Registry> loaded = Registry::from_plugins({table.c()});
  REQUIRE_MESSAGE(loaded.is_ok(), loaded.status().message());
  return *loaded;
}

PluginSpec plugin(const std::string& id, const std::vector<int64_t>& fields = {}) {
  PluginSpec spec;
  const auto found = registry().named(id);
  REQUIRE(found.size() == 1);
  spec.entry = found.front();
  spec.config = default_config(*spec.entry->type).value();
  for (size_t i = 0; i < fields.size(); ++i) spec.config->fields[i].values = {ConfigValue(fields[i])};
  return spec;
}

// x -> e (each) -> w (whole) ; loss on w.
Job job_of(int64_t turned = 0, int64_t places = 0, int64_t least = 1) {
  LayerSpec each, whole;
  each.name = "e";
  each.plugin = plugin("plait.each", {turned});
  each.inputs = {{"x", 0, {}}};
  whole.name = "w";
  whole.plugin = plugin("plait.whole", {places, least});
  whole.inputs = {{"e", 0, {}}};
  LossSpec loss;
  loss.plugin = plugin("plait.half");
  loss.inputs = {{"w", 0, {}}};
  loss.targets = {{"label", 0, {}}};
  Job job;
  job.name = "net";
  job.layers = {each, whole};
  job.losses = {loss};
  return job;
}

std::vector<PartSpec> parts(int64_t bound, int64_t other = 1, int other_axis = -1) {
  return {
      {"x", PLAIT_F32, {bound, 3}, 0}, {"label", PLAIT_F32, {1}}, {"other", PLAIT_F32, {other}, other_axis}};
}

std::vector<int64_t> extents(const Job& job, const std::vector<PartSpec>& of) {
  const auto buckets = Buckets::create(job, of, 2);
  REQUIRE_MESSAGE(buckets.is_ok(), buckets.status().message());
  std::vector<int64_t> first;
  for (size_t i = 0; i < buckets->count(); ++i) first.push_back(buckets->parts(i)[0].shape[0]);
  return first;
}

using Extents = std::vector<int64_t>;

}  // namespace

TEST_CASE("buckets are the bound and its halves in whole eights") {
  const Job job = job_of();
  CHECK(extents(job, parts(100)) == Extents{100, 56, 32, 16, 8});
  CHECK(extents(job, parts(64)) == Extents{64, 32, 16, 8});
  CHECK(extents(job, parts(9)) == Extents{9, 8});
  CHECK(extents(job, parts(8)) == Extents{8});
  CHECK(extents(job, parts(3)) == Extents{3});
}

TEST_CASE("a bucket in which the network would be another is left out") {
  CHECK(extents(job_of(0, 1), parts(64)) == Extents{64});
  CHECK(extents(job_of(0, 0, 20), parts(64)) == Extents{64, 32});
  // At 8 both parts have 8: the second output's extents would be taken for those of the first.
  Job both = job_of();
  both.layers[1].inputs.push_back({"other", 0, {}});
  CHECK(extents(both, parts(64, 32, 0)) == Extents{64, 32, 16});
  CHECK(extents(both, parts(64, 64, 0)) == Extents{64, 32, 16, 8});
  CHECK(extents(job_of(), parts(64, 32, 0)) == Extents{64, 32, 16, 8});
}

TEST_CASE("a batch goes to the smallest bucket that holds its longest samples") {
  Job both = job_of();
  both.layers[1].inputs.push_back({"other", 0, {}});
  const auto buckets = Buckets::create(both, parts(64, 32, 0), 2);
  REQUIRE(buckets.is_ok());
  const auto bucket = [&](int32_t x, int32_t other) {
    const BatchExtents longest[] = {{x, 0}, {0, 0}, {other, 0}};
    return buckets->holding(longest);
  };
  CHECK(bucket(0, 0) == 2);
  CHECK(bucket(16, 8) == 2);
  CHECK(bucket(17, 8) == 1);
  CHECK(bucket(16, 9) == 1);
  CHECK(bucket(33, 0) == 0);
  CHECK(bucket(0, 32) == 0);
}

TEST_CASE("two axes that vary go through the halves together") {
  std::vector<PartSpec> two = parts(100);
  two[2] = {"other", PLAIT_F32, {64, 20, 3}, 0, 1};
  const auto buckets = Buckets::create(job_of(), two, 2);
  REQUIRE(buckets.is_ok());
  const std::vector<std::vector<int64_t>> wanted = {
      {64, 20, 3}, {32, 16, 3}, {16, 8, 3}, {8, 8, 3}, {8, 8, 3}};
  REQUIRE(buckets->count() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) CHECK(buckets->parts(i)[2].shape == wanted[i]);
  const auto bucket = [&](int32_t first, int32_t second) {
    const BatchExtents longest[] = {{0, 0}, {0, 0}, {first, second}};
    return buckets->holding(longest);
  };
  CHECK(bucket(8, 8) == 4);
  CHECK(bucket(16, 8) == 2);
  CHECK(bucket(8, 9) == 1);
  CHECK(bucket(33, 1) == 0);
  CHECK(bucket(1, 17) == 0);
}

TEST_CASE("a bucket's plan is compiled once, by whoever asks first") {
  const Job job = job_of();
  auto buckets = Buckets::create(job, parts(64), 2);
  REQUIRE(buckets.is_ok());
  std::atomic<int> compiled{0};
  auto cache = PlanCache::create(*buckets, [&](const auto& of) -> Result<std::unique_ptr<Plan>> {
    ++compiled;
    PLAIT_ASSIGN(Network network, shape_network(job, of, 2));
    return Plan::compile(registry(), std::move(network), {});
  });
  REQUIRE_MESSAGE(cache.is_ok(), cache.status().message());
  CHECK(compiled == 1);
  CHECK((*(*cache)->at(0)) == &(*cache)->whole());
  const Plan* seen[4] = {};
  std::vector<std::thread> threads;
  for (const Plan*& plan : seen) threads.emplace_back([&] { plan = *(*cache)->at(2); });
  for (std::thread& thread : threads) thread.join();
  CHECK(std::ranges::count(seen, seen[0]) == 4);
  CHECK(seen[0]->network().tensors[0].spec.shape == std::vector<int64_t>{2, 16, 3});
  CHECK(compiled == 2);
  CHECK((*cache)->compiled() == 2);
}

TEST_CASE("a kernel that keeps weights in a bucket's own form is refused by the parameter's name") {
  const Job job = job_of(1);
  auto buckets = Buckets::create(job, parts(64), 2);
  REQUIRE(buckets.is_ok());
  auto cache = PlanCache::create(*buckets, [&](const auto& of) -> Result<std::unique_ptr<Plan>> {
    PLAIT_ASSIGN(Network network, shape_network(job, of, 2));
    return Plan::compile(registry(), std::move(network), {});
  });
  REQUIRE(cache.is_ok());
  CHECK((*cache)->at(1).is_ok());
  const Status refused = (*cache)->at(2).status();
  CHECK(refused.code() == Code::kUnsupported);
  CHECK(refused.message().find("parameter e.weight") != std::string::npos);
}

}  // namespace plait::inline plan
