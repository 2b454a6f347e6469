// Optimizers that want whole parameters in plain order, or a second gradient.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "pipeline/load.h"
#include "train/check_job.h"
#include "train/test_job.h"

namespace plait::inline train {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Job job_of(const std::string& text) {
  auto job = parse_job(train_registry(), text, "toy");
  REQUIRE_MESSAGE(job.is_ok(), job.status().message());
  return std::move(job).value();
}

NamedTensors weights_of(const Job& job, int ranks = 1, int threads = 1) {
  TestWorld world;
  const auto summary = world.run(job, ranks, threads);
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  return world.weights();
}

// Stopped after its second round, and resumed.
NamedTensors resumed_weights_of(const Job& job) {
  TestWorld world;
  world.observer.on_round = [&](const RoundInfo& round) { world.stop = round.round == 1; };
  REQUIRE(world.run(job).is_ok());
  world.observer.on_round = nullptr;
  world.stop = false;
  RunOptions options;
  options.resume = true;
  const auto summary = world.run(job, 2, 1, options);
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  CHECK(summary->status == RunStatus::kComplete);
  return world.weights();
}

void check_same(const NamedTensors& a, const NamedTensors& b) {
  REQUIRE(a.size() == b.size());
  for (size_t t = 0; t < a.size(); ++t) {
    CAPTURE(a[t].name);
    CHECK(a[t].name == b[t].name);
    CHECK(a[t].values == b[t].values);
  }
}

// ---- plain order

// Two layers with their weights in plain order, or in one of their own with padding.
Job planes(const std::string& layer, const std::string& train, const std::string& more = "") {
  const std::string optimizer = more.find("optimizer {") == 0 ? "" : "optimizer { grow {} }\n";
  return job_of("source { points {} }\n" + optimizer + "layer { name: \"a\" input: \"x\" " + layer +
                " { units: 5 } }\nlayer { name: \"b\" " + layer +
                " { units: 1 } }\nloss { target: \"label\" squares {} }\ntrain { batch: 4 steps: 12 " +
                train + " }\n" + more);
}

TEST_CASE("the order in which a layer keeps its weights does not show in plain order") {
  for (const std::string train :
       {"shards: 1 local_steps: 3", "shards: 3 local_steps: 3 lanes: 2",
        "shards: 3 local_steps: 3 inner_state: reset", "shards: 3 sync: gradients"}) {
    CAPTURE(train);
    const NamedTensors plain = weights_of(planes("plane", train));
    check_same(weights_of(planes("turned", train)), plain);
    check_same(weights_of(planes("turned", train), 3, 3), plain);
    check_same(resumed_weights_of(planes("turned", train)), plain);
  }
}

TEST_CASE("an outer optimizer may want plain order too") {
  const std::string outer =
      "optimizer { roll {} } reducer { mean {} } outer_optimizer { grow { rate: 0.01 } }";
  const std::string train = "shards: 3 local_steps: 3";
  const NamedTensors plain = weights_of(planes("plane", train, outer));
  check_same(weights_of(planes("turned", train, outer)), plain);
  check_same(resumed_weights_of(planes("turned", train, outer)), plain);
}

TEST_CASE(
    "where the host does not reach the weights, it turns no layer's order, and says so before the run") {
  const std::string far = "device { far {} }";
  check_same(weights_of(planes("plane", "shards: 3 local_steps: 3", far)),
             weights_of(planes("plane", "shards: 3 local_steps: 3")));
  check_same(weights_of(planes("turned", "shards: 3 sync: gradients", far)),
             weights_of(planes("turned", "shards: 3 sync: gradients")));
  const Status refused = check_job(train_registry(), planes("turned", "shards: 3", far), 1).status();
  CHECK(refused.code() == Code::kUnsupported);
  CAPTURE(refused.message());
  CHECK(has(refused.message(), "toy:2:"));
  CHECK(has(refused.message(), "plait.grow takes whole parameters in plain order: got a.weight"));
  CHECK(has(refused.message(), "wanted train { sync: gradients }"));
}

// ---- a second gradient

TEST_CASE("the second gradient is that of the same batch at the weights that were moved to") {
  // y = w x, the loss the mean over the batch of (y - label)^2 / 2.
  const std::string rest =
      "source { points {} }\nlayer { name: \"b\" input: \"x\" plane { units: 1 } }\n"
      "loss { target: \"label\" squares {} }\ntrain { batch: 8 steps: 1 local_steps: 1 shards: 1 shuffle: "
      "false }\n";
  const auto at_rate = [&](const std::string& optimizer) {
    return weights_of(job_of(rest + "optimizer { " + optimizer + " }"))[0].values;
  };
  const std::vector<float> w = at_rate("roll { rate: 0 }");
  const auto gradient = [](const std::vector<double>& weights) {
    std::vector<double> sum(3);
    for (int record = 0; record < 8; ++record) {
      double x[3], y = 0;
      for (int i = 0; i < 3; ++i) {
        x[i] = static_cast<float>(std::sin(record * 0.7 + 1.3 * i));
        y += weights[static_cast<size_t>(i)] * x[i];
      }
      const double label = x[0] - 0.5 * x[1] + 0.25 * x[2] * x[2];
      for (size_t i = 0; i < 3; ++i) sum[i] += (y - label) * x[i] / 8;
    }
    return sum;
  };
  const std::vector<double> first = gradient({w[0], w[1], w[2]});
  const double norm = std::sqrt(first[0] * first[0] + first[1] * first[1] + first[2] * first[2]);
  std::vector<double> moved;
  for (size_t i = 0; i < 3; ++i) moved.push_back(w[i] + 0.5 * first[i] / norm);
  const std::vector<double> second = gradient(moved);
  const std::vector<float> found = at_rate("sharp { rho: 0.5 rate: 0.25 }");
  for (size_t i = 0; i < 3; ++i) {
    CHECK(std::abs(second[i] - first[i]) > 1e-3);  // else the test says nothing
    // f32 sums of 8 and 3 products of size 1.
    CHECK(std::abs(found[i] - (w[i] - 0.25 * second[i])) < 1e-6);
  }
}

// Noise has other numbers in each step, and the buffer of `follow` is read and written in training.
TEST_CASE(
    "where the weights do not move, the second gradient is the first: the same random numbers and buffers") {
  for (const std::string device : {"", "device { far {} }"}) {
    for (const std::string train : {"shards: 1 local_steps: 1 batch: 4 steps: 12",
                                    "shards: 4 local_steps: 3 batch: 4 steps: 12 lanes: 2"}) {
      CAPTURE(train);
      const Job once = train_job(train, "optimizer { roll { momentum: 0 } }" + device),
                twice = train_job(train, "optimizer { sharp { rho: 0 } }" + device);
      check_same(weights_of(twice), weights_of(once));
    }
  }
}

TEST_CASE("a second gradient changes no bits by ranks, threads, devices, or a stop") {
  const std::string train = "shards: 4 local_steps: 3 batch: 4 steps: 12", sharp = "optimizer { sharp {} }";
  const NamedTensors wanted = weights_of(train_job(train, sharp));
  check_same(weights_of(train_job(train, sharp), 3, 3), wanted);
  check_same(weights_of(train_job(train, sharp + " device { far {} }")), wanted);
  check_same(resumed_weights_of(train_job(train, sharp)), wanted);
}

TEST_CASE("a second gradient is refused where there is none, with the place") {
  for (const auto& [job, words] : std::vector<std::pair<Job, std::string>>{
           {train_job("shards: 4 sync: gradients batch: 4", "optimizer { sharp {} }"),
            "plait.sharp takes a second gradient in each step of a shard: got train { sync: gradients }"},
           {train_job("shards: 4 batch: 4", "outer_optimizer { sharp {} }"),
            "an outer optimizer has one gradient a round: got plait.sharp"}}) {
    const Status refused = check_job(train_registry(), job, 1).status();
    CHECK(refused.code() == Code::kInvalid);
    CAPTURE(refused.message());
    CHECK(has(refused.message(), "toy:"));
    CHECK(has(refused.message(), words));
  }
}

}  // namespace
}  // namespace plait::inline train
