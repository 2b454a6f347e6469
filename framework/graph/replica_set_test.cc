#include "graph/replica_set.h"

#include <doctest/doctest.h>

#include "graph/allocation_count.h"
#include "graph/arena.h"
#include "graph/input_graph.h"
#include "graph/test_plugins.h"

namespace plait::inline graph {
namespace {

constexpr int kBatch = 4;

class Forwards final : public SampleOrder {
 public:
  SampleRef sample(int64_t position) const override {
    return {position % 100, 0, static_cast<uint64_t>(position)};
  }
  SampleRef replacement(const SampleRef& bad, int) const override { return bad; }
};

// A job of variable extents, computed in buckets or at the bound.
struct Trained {
  explicit Trained(bool in_buckets)
      : job(graph_job("source { counter { long_parts: true long_bound: 40 } }"
                      "layer { name: \"a\" input: \"image\" shadow {} }"
                      "layer { name: \"b\" input: \"a\" scale {} } loss { target: \"label\" squares {} }"
                      "optimizer { descend { rate: 1e-6 slots: 1 } }")) {
    device = take(Device::open(graph_registry(), *job.device.entry, *job.device.config));
    optimizer =
        take(OptimizerInstance::create(graph_registry(), job.optimizer, job.schedules, device->kernels()));
    reader = take(SampleReader::create(graph_registry(), job.source, {}));
    Buckets buckets(reader->parts());
    if (in_buckets) buckets = take(Buckets::create(job, reader->parts(), kBatch));
    plans = take(PlanCache::create(std::move(buckets), [this](const auto& parts) { return compile(parts); }));
    replicas = take(ReplicaSet::create(*plans, *device, {.optimizer = optimizer.get(), .profile = true}));
    input = take(InputGraph::create(*reader, order, *device, kBatch, 1, &plans->buckets()));
    runtime.resize(optimizer->runtime_fields());
    begin();
  }

  template <class T>
  static T take(Result<T> result) {
    REQUIRE_MESSAGE(result.is_ok(), result.status().message());
    return std::move(result).value();
  }

  Result<std::unique_ptr<Plan>> compile(const std::vector<PartSpec>& parts) {
    PLAIT_ASSIGN(Network network, shape_network(job, parts, kBatch));
    CompileOptions options;
    options.device_id = device->kernels();
    options.device = device->self();
    Lanes lanes(1);
    return lanes.execute([&] { return Plan::compile(graph_registry(), std::move(network), options); });
  }

  void begin() {
    for (uint64_t i = 0; i < plans->whole().arena_elements(); ++i) replicas->whole().weights()[i] = 1;
    replicas->weights_changed();
  }

  bool step(int64_t number) {
    const auto batch = input->take(number * kBatch);
    if (!batch || !optimizer->runtime({number, 100, 10}, runtime)) return false;
    const auto replica = replicas->at((*batch)->bucket);
    if (!replica) return false;
    const auto done = (*replica)->run(**batch, 1, number, 0, runtime);
    if (done) loss = done->loss_sum;
    return done.is_ok();
  }

  Job job;
  Forwards order;
  std::unique_ptr<Device> device;
  std::unique_ptr<OptimizerInstance> optimizer;
  std::unique_ptr<SampleReader> reader;
  std::unique_ptr<PlanCache> plans;
  std::unique_ptr<ReplicaSet> replicas;
  std::unique_ptr<InputGraph> input;
  std::vector<double> runtime;
  double loss = 0;
};

}  // namespace

TEST_CASE("replicas of all buckets train the same weights") {
  Trained buckets(true), bound(false);
  CHECK(buckets.plans->buckets().count() == 4);
  CHECK(bound.plans->buckets().count() == 1);
  double before = 0;
  for (int64_t i = 0; i < 50; ++i) {
    REQUIRE(buckets.step(i));
    REQUIRE(bound.step(i));
    CHECK(buckets.loss == bound.loss);
    CHECK(buckets.loss != before);
    before = buckets.loss;
  }
  CHECK(buckets.plans->compiled() == 4);
  CHECK(bound.plans->compiled() == 1);
  const auto calls = [](const Trained& trained) { return trained.replicas->profile().front().calls; };
  CHECK(calls(buckets) == calls(bound));
}

TEST_CASE("steps in buckets do not allocate once every bucket was met") {
  Trained trained(true);
  for (int64_t i = 0; i < 200; ++i) REQUIRE(trained.step(i));
  REQUIRE(trained.plans->compiled() == 4);
  const uint64_t before = allocations();
  bool good = true;
  for (int64_t i = 200; i < 300; ++i) good = good && trained.step(i);
  CHECK(allocations() - before == 0);
  CHECK(good);
  CHECK(trained.plans->compiled() == 4);
}

}  // namespace plait::inline graph
