// After the first steps nothing allocates: neither this folder nor oneTBB below it.
#include <doctest/doctest.h>

#include "graph/allocation_count.h"
#include "graph/input_graph.h"
#include "graph/test_plugins.h"

namespace plait::inline graph {
namespace {

constexpr int kFirstSteps = 200;  // oneTBB's pools of tasks grow to what the graph ever needs at once
constexpr int kSteps = 100;

const std::string kNetwork =
    "layer { name: \"a\" input: \"image\" scale {} } layer { name: \"two\" input: \"a\" split {} }"
    "layer { name: \"b\" input: \"two:1\" shadow {} } layer { name: \"l\" input: \"two\" loop {} }"
    "layer { name: \"s\" input: \"l\" input: \"b\" sum {} } loss { target: \"label\" squares {} }";

class Forwards final : public SampleOrder {
 public:
  SampleRef sample(int64_t position) const override {
    return {position % 100, 0, static_cast<uint64_t>(position)};
  }
  SampleRef replacement(const SampleRef& bad, int attempt) const override {
    return {(bad.record + attempt) % 100, bad.epoch, bad.place};
  }
};

}  // namespace

TEST_CASE("steps do not allocate") {
  const std::string descend = "optimizer { descend { rate: 0.001 slots: 1 } } schedule { halve {} }",
                    climb = "optimizer { climb { rate: 1e-9 } } schedule { halve {} }";
  for (const auto& [lanes, optimizer] :
       std::vector<std::pair<int, std::string>>{{1, descend}, {2, descend}, {1, climb}, {2, climb}}) {
    CAPTURE(lanes);
    CAPTURE(optimizer);
    auto run = test_run(kNetwork + optimizer, {.lanes = lanes});
    std::vector<double> runtime(run->optimizer->runtime_fields());
    const auto steps = [&](int count) {
      bool good = true;
      for (int64_t i = 0; i < count; ++i) {
        good = good && run->optimizer->runtime({i, 100, 10}, runtime).is_ok();
        good = good && run->replica->run(run->batch, 1, i, 0, runtime).is_ok();
      }
      return good;
    };
    REQUIRE(steps(kFirstSteps));
    const uint64_t before = allocations();
    const bool good = steps(kSteps);
    CHECK(allocations() - before == 0);
    CHECK(good);
  }
}

TEST_CASE("batches do not allocate") {
  for (const char* source : {"counter { long_parts: true }", "counter { blocking: true }"}) {
    for (int lanes : {1, 2}) {
      CAPTURE(source);
      CAPTURE(lanes);
      const Job job = graph_job("source { " + std::string(source) + " } augment { jitter {} }" + kNetwork);
      auto device = Device::open(graph_registry(), *job.device.entry, *job.device.config);
      REQUIRE(device.is_ok());
      SampleReader::Options options;
      options.augment = &job.augment;
      auto reader = SampleReader::create(graph_registry(), job.source, options);
      REQUIRE_MESSAGE(reader.is_ok(), reader.status().message());
      const Forwards order;
      auto input = InputGraph::create(**reader, order, **device, 64, lanes);
      REQUIRE(input.is_ok());
      const auto batches = [&](int count) {
        bool good = true;
        for (int i = 0; i < count; ++i) good = good && (*input)->take(64 * i).is_ok();
        return good;
      };
      REQUIRE(batches(kFirstSteps));
      const uint64_t before = allocations();
      const bool good = batches(kSteps);
      CHECK(allocations() - before == 0);
      CHECK(good);
    }
  }
}

}  // namespace plait::inline graph
