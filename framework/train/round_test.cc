// What rounds make of the shards' results: means, variances, reducers that gather, outer optimizers.
#include "train/round.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "pipeline/load.h"
#include "train/test_job.h"

namespace plait::inline train {
namespace {

Job job_of(const std::string& text) {
  auto job = parse_job(train_registry(), text, "round");
  REQUIRE_MESSAGE(job.is_ok(), job.status().message());
  return std::move(job).value();
}

// The weights that a job ends with, the same for 1 to 3 ranks.
NamedTensors weights_of(const Job& job) {
  std::string digest;
  NamedTensors weights;
  for (const int ranks : {1, 2, 3}) {
    TestWorld world;
    const auto summary = world.run(job, ranks, ranks);
    REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
    if (ranks > 1) CHECK(summary->weights_sha256 == digest);
    digest = summary->weights_sha256;
    weights = world.weights();
  }
  return weights;
}

const std::vector<float>& values_of(const NamedTensors& tensors, const std::string& name) {
  const auto found = std::ranges::find(tensors, name, &NamedTensor::name);
  REQUIRE(found != tensors.end());
  return found->values;
}

double difference(const NamedTensors& a, const NamedTensors& b) {
  double largest = 0;
  REQUIRE(a.size() == b.size());
  for (size_t t = 0; t < a.size(); ++t)
    for (size_t i = 0; i < a[t].values.size(); ++i)
      largest = std::max(largest, std::abs(double{a[t].values[i]} - double{b[t].values[i]}));
  return largest;
}

std::string train(int shards, int local_steps, const std::string& more = "") {
  return "shards: " + std::to_string(shards) + " local_steps: " + std::to_string(local_steps) +
         " batch: 4 steps: 12 " + more;
}

TEST_CASE("with one shard a round changes nothing: its weights, slots and buffers go on as they are") {
  const NamedTensors by_step = weights_of(train_job(train(1, 1)));
  for (const int local_steps : {2, 3, 12})
    CHECK(difference(weights_of(train_job(train(1, local_steps))), by_step) == 0);
}

// Adam's steps on one sample with features 10^8 apart, in f64. Every shard has that sample.
TEST_CASE("adam on features 10^8 apart moves every weight as exact mathematics has it") {
  for (const int shards : {1, 2, 5}) {
    const Job job = job_of(
        "source { points { count: 1 phase: 1 } } optimizer { adapt { rate: 0.001 } }\n"
        "layer { name: \"s\" input: \"x\" stretch { base: 1e-8 } }\n"
        "layer { name: \"a\" plane { units: 1 } }\n"
        "loss { target: \"label\" squares {} }\n"
        "train { batch: 1 local_steps: 5 steps: 100 shards: " +
        std::to_string(shards) + " }");
    RunOptions options;
    options.max_steps = 5;
    TestWorld world;
    REQUIRE(world.run(job, 1, 1, options).is_ok());
    const std::vector<float> first = values_of(world.weights(), "a.weight");
    const std::vector<float> last = values_of(weights_of(job), "a.weight");
    // The gradient keeps its sign until the error is gone: each step is `rate`, near enough, for each weight.
    for (size_t i = 0; i < 3; ++i) {
      const double moved = std::abs(double{last[i]} - double{first[i]});
      CAPTURE(shards);
      CAPTURE(i);
      CHECK(moved > 0.09);
      CHECK(moved < 0.1);
    }
  }
}

TEST_CASE("an optimizer whose slots begin anew in every round is told so") {
  const std::string paced = "optimizer { paced {} }";
  const auto plain = weights_of(train_job(train(1, 1), "optimizer { roll { momentum: 0 } }"));
  // Within a round of one step there is one update, the first.
  CHECK(difference(weights_of(train_job(train(1, 1, "inner_state: reset"), paced)), plain) == 0);
  CHECK(difference(weights_of(train_job(train(1, 2, "inner_state: reset"), paced)), plain) > 1e-4);
  CHECK(difference(weights_of(train_job(train(1, 1), paced)), plain) > 1e-4);
  // With slots kept, rounds do not matter.
  CHECK(difference(weights_of(train_job(train(1, 4), paced)), weights_of(train_job(train(1, 1), paced))) ==
        0);
}

TEST_CASE("an outer optimizer of rate 1 changes nothing, also where layers have rates of their own") {
  for (const int shards : {1, 4}) {
    Job plain = train_job(train(shards, 3)),
        outer = train_job(train(shards, 3), "outer_optimizer { roll { rate: 1 momentum: 0 } }");
    plain.layers[0].rate_multiplier = outer.layers[0].rate_multiplier = 0.25;
    const auto one = weights_of(plain), other = weights_of(outer);
    // The outer gradient is a difference in f32: of a single shard, whose weights are taken as they are
    // without an outer optimizer, it rounds what it takes, in four rounds.
    CHECK(difference(one, other) <= (shards == 1 ? 1e-5 : 0));
    CHECK(difference(one, weights_of(train_job(train(shards, 3)))) > 1e-3);
  }
}

TEST_CASE("variances of the shards become that of all their samples together") {
  const std::string network =
      "source { points { count: 24 } } optimizer { roll { rate: 0 } }\n"
      "layer { name: \"v\" input: \"x\" spread {} }\nlayer { name: \"a\" plane { units: 1 } }\n"
      "loss { target: \"label\" squares {} }\n";
  const auto parts = weights_of(job_of(network + "train { shards: 4 batch: 6 steps: 1 local_steps: 1 }"));
  const auto whole = weights_of(job_of(network + "train { shards: 1 batch: 24 steps: 1 local_steps: 1 }"));
  CHECK(values_of(parts, "v.mean")[0] == doctest::Approx(values_of(whole, "v.mean")[0]).epsilon(1e-6));
  CHECK(values_of(parts, "v.variance")[0] ==
        doctest::Approx(values_of(whole, "v.variance")[0]).epsilon(1e-6));
}

TEST_CASE("sums on a device are those of the host: slots, buffers, heavy weights, and what cannot be added") {
  for (const std::string more :
       {"optimizer { adapt { rate: 0.001 } }", "optimizer { roll { momentum: 0.9 } }"})
    for (const int shards : {2, 3, 300})
      CHECK(difference(weights_of(train_job(train(shards, 3), more)),
                       weights_of(train_job(train(shards, 3), more + " device { adding {} }"))) == 0);
  const std::string network =
      "source { points { count: 24 } } optimizer { roll { rate: 0.1 } }\n"
      "layer { name: \"v\" input: \"x\" spread {} }\nlayer { name: \"f\" follow {} }\n"
      "layer { name: \"a\" plane { units: 1 } }\nloss { target: \"label\" squares {} }\n";
  const std::string rounds = "train { shards: 4 batch: 6 steps: 6 local_steps: 2 }";
  CHECK(difference(weights_of(job_of(network + rounds)),
                   weights_of(job_of(network + rounds + " device { adding {} }"))) == 0);
  const std::string spoilt = "source { points { spoilt: 95 } }";
  TestWorld here, there;
  const Status wanted = here.run(train_job(train(3, 3), spoilt + " device { far {} }")).status();
  REQUIRE_FALSE(wanted);
  CHECK(there.run(train_job(train(3, 3), spoilt + " device { adding {} }")).status().message() ==
        wanted.message());
}

TEST_CASE(
    "a shard that fails in its numbers ends a job with a mean and not one whose reducer leaves it out") {
  const std::string spoilt = "source { points { spoilt: 95 } }";
  TestWorld mean;
  const auto failed = mean.run(train_job(train(3, 3), spoilt));
  REQUIRE_FALSE(failed.is_ok());
  CAPTURE(failed.status().message());
  CHECK(failed.status().message().find("shard ") != std::string::npos);
  CHECK(failed.status().message().find("sample part \"x\"") != std::string::npos);
  std::string digest;
  for (const int ranks : {1, 2, 3, 4}) {
    TestWorld world;
    const auto summary = world.run(train_job(train(3, 3), spoilt + " reducer { middle {} }"), ranks);
    REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
    if (ranks > 1) CHECK(summary->weights_sha256 == digest);
    digest = summary->weights_sha256;
    for (const RoundInfo& round : world.observer.rounds) CHECK(std::isfinite(round.loss));
    const auto told = std::ranges::count_if(world.observer.messages, [](const std::string& text) {
      return text.find("the reducer leaves it out") != std::string::npos;
    });
    CHECK(told == 1);
  }
}

TEST_CASE("one that takes the whole leaves a failed shard out by its infinite loss") {
  const std::string spoilt = "source { points { spoilt: 95 } } reducer { kept {} }";
  const NamedTensors weights = weights_of(train_job(train(3, 3), spoilt));
  for (const NamedTensor& tensor : weights)
    for (const float value : tensor.values) CHECK(std::isfinite(value));
  TestWorld world;
  const auto failed =
      world.run(train_job(train(3, 3), "source { points { spoilt: 0 } } reducer { kept {} }"));
  CAPTURE(failed.status().message());
  CHECK(failed.status().message().find(
            "reducer plait.kept: none of 3 shards has a result to go by; shard 0") != std::string::npos);
}

TEST_CASE(
    "a reducer's states come back from a checkpoint to the bit, whatever the layers' order and padding") {
  const Job job = job_of(
      "source { points {} } optimizer { roll {} }\n"
      "layer { name: \"a\" input: \"x\" turned { units: 4 } } layer { name: \"v\" spread {} }\n"
      "layer { name: \"m\" follow {} } layer { name: \"b\" turned { units: 1 } }\n"
      "loss { input: \"b\" target: \"label\" squares {} } reducer { kept {} }\n"
      "train { shards: 3 local_steps: 2 batch: 4 steps: 12 }");
  TestWorld world;
  const auto whole = world.run(job);
  REQUIRE_MESSAGE(whole.is_ok(), whole.status().message());
  for (const int64_t most : {2, 6, 10}) {
    TestWorld cut;
    RunOptions options;
    options.max_steps = most;
    REQUIRE(cut.run(job, 2, 1, options).is_ok());
    options = {};
    options.resume = true;
    const auto resumed = cut.run(job, 3, 2, options);
    REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
    CHECK(resumed->weights_sha256 == whole->weights_sha256);
  }
}

TEST_CASE("a number of shards that a reducer refuses is told at its place, before anything is written") {
  TestWorld world;
  const auto refused = world.run(train_job(train(3, 3), "reducer { kept { least: 4 } }"), 2);
  CAPTURE(refused.status().message());
  CHECK(refused.status().message().find("toy:") != std::string::npos);
  CHECK(refused.status().message().find("reducer plait.kept: got 3 shards, wanted 4 or more") !=
        std::string::npos);
  CHECK(world.files.changes() == 0);
}

TEST_CASE("when too many shards fail, the error says which was the first, and where") {
  TestWorld world;
  const auto failed =
      world.run(train_job(train(3, 3), "source { points { spoilt: 0 } } reducer { middle {} }"));
  REQUIRE_FALSE(failed.is_ok());
  CAPTURE(failed.status().message());
  CHECK(failed.status().message().find(
            "reducer plait.middle gives a value that is not finite; shard 0, step 0") != std::string::npos);
}

TEST_CASE("layers before all that is trained have the memory that they ask for") {
  for (const char* frozen : {"", "frozen: true "}) {
    const Job job = job_of(
        "source { points {} } optimizer { roll {} }\n"
        "layer { name: \"t\" input: \"x\" " +
        std::string(frozen) +
        "twice {} }\n"
        "layer { name: \"a\" plane { units: 1 } }\n"
        "loss { target: \"label\" squares {} }\ntrain { shards: 2 batch: 4 steps: 4 local_steps: 2 }");
    CHECK(values_of(weights_of(job), "a.weight").size() == 3);
  }
}

}  // namespace
}  // namespace plait::inline train
