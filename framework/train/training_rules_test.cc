// What a job says of its training beside rounds: accumulation, clipping, penalties, the moving average, the
// best weights, parameters by pattern, and what layers begin with. The same bits for any ranks and threads,
// and after a stop.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "pipeline/load.h"
#include "train/checkpoint.h"
#include "train/test_job.h"

namespace plait::inline train {
namespace {

const std::string kAveraging = "shards: 4 local_steps: 3 batch: 2 epochs: 2 ";
const std::string kGradients = "shards: 4 local_steps: 1 batch: 2 epochs: 2 sync: gradients ";

Summary good(const Result<Summary>& summary) {
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  return *summary;
}

std::string digest(const Job& job, int ranks = 1, int threads = 1) {
  TestWorld world;
  return good(world.run(job, ranks, threads)).weights_sha256;
}

NamedTensors weights_of(const Job& job, RunOptions options = {}) {
  TestWorld world;
  good(world.run(job, 1, 1, options));
  return world.weights();
}

const std::vector<float>& values_of(const NamedTensors& tensors, const std::string& name) {
  const auto found = std::ranges::find(tensors, name, &NamedTensor::name);
  REQUIRE_MESSAGE(found != tensors.end(), name);
  return found->values;
}

std::string error_of(const Job& job) {
  TestWorld world;
  const auto summary = world.run(job);
  REQUIRE_FALSE(summary.is_ok());
  return summary.status().message();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Rows of small whole numbers for a layer that shall give them back; all sums of a step or two are exact.
Job exact_job(const std::string& train) {
  given_rows() = {{1, 2, 0}, {3, -1, 2}, {0, 4, 1}, {-2, 1, 1}, {5, 0, 0}, {1, 1, 1}, {2, -3, 1}, {0, 0, 4}};
  auto job =
      parse_job(train_registry(),
                "source { given { file: \"a.given\" } } optimizer { roll { rate: 0.5 momentum: 0 } }\n"
                "layer { name: \"a\" input: \"rows\" plane { units: 3 } init { constant { value: 0.5 } } }\n"
                "loss { target: \"rows\" squares {} }\ntrain { steps: 2 " +
                    train + " }",
                "exact");
  REQUIRE_MESSAGE(job.is_ok(), job.status().message());
  return std::move(job).value();
}

struct Feature {
  std::string train, more;
};

const std::vector<Feature> kFeatures = {
    {"accumulate: 3", ""},
    {"clip { value: 0.05 }", ""},
    {"clip { norm: 0.1 }", ""},
    {"clip { global_norm: 0.1 }", ""},
    {"average_weights { decay: 0.9 }", ""},
    {"accumulate: 2 clip { global_norm: 0.1 } average_weights { }", ""},
    {"", "parameters { match: \"*.weight\" l1: 0.01 l2: 0.02 }"},
    {"", "parameters { match: \"a.*\" frozen: true }"},
    {"accumulate: 2", "parameters { match: \"b.*\" rate_multiplier: 0.1 l2: 0.1 }"},
    {"recalibrate: 5", ""},
    {"recalibrate: 7 average_weights { decay: 0.9 } restore_best: true", ""},
};

Job job_with(const std::string& train, const Feature& feature) {
  return train_job(train + feature.train, feature.more);
}

}  // namespace

TEST_CASE(
    "any number of ranks and threads gives the same weights with each of them, and others than without") {
  for (const std::string& train : {kAveraging, kGradients}) {
    const std::string without = digest(train_job(train));
    for (const Feature& feature : kFeatures) {
      CAPTURE(train + feature.train + feature.more);
      const Job job = job_with(train, feature);
      const std::string one = digest(job);
      CHECK(one != without);
      for (const int ranks : {2, 3, 5}) CHECK(digest(job, ranks, ranks % 2 + 1) == one);
      CHECK(digest(train_job(train + feature.train, feature.more + " device { far {} }"), 2) == one);
    }
  }
}

TEST_CASE("a run that was stopped ends with the same weights, and its resolved job gives them again") {
  for (const std::string& train : {kAveraging, kGradients}) {
    for (const Feature& feature : kFeatures) {
      CAPTURE(train + feature.train + feature.more);
      const Job job = job_with(train, feature);
      const std::string whole = digest(job);
      TestWorld world;
      world.observer.on_round = [&](const RoundInfo& round) { world.stop = round.round == 1; };
      CHECK(good(world.run(job, 2)).status == RunStatus::kStopped);
      world.stop = false;
      world.observer.on_round = nullptr;
      RunOptions options;
      options.resume = true;
      CHECK(good(world.run(job, 3, 2, options)).weights_sha256 == whole);
      auto again = parse_job(train_registry(), job.resolved, "again");
      REQUIRE_MESSAGE(again.is_ok(), again.status().message());
      CHECK(again->resolved == job.resolved);
      CHECK(digest(*again) == whole);
    }
  }
}

// ---- accumulation

TEST_CASE("batches that are accumulated are one batch, to the bit where sums are exact") {
  for (const std::string sync : {"local_steps: 2", "sync: gradients"}) {
    const std::string whole = digest(exact_job("shards: 1 batch: 4 " + sync));
    CHECK(digest(exact_job("shards: 1 batch: 2 accumulate: 2 " + sync)) == whole);
    CHECK(digest(exact_job("shards: 1 batch: 1 accumulate: 4 " + sync)) == whole);
    CHECK(digest(exact_job("shards: 1 batch: 2 " + sync)) != whole);
  }
}

TEST_CASE("a step counts all its batches' samples, and the loss is their mean") {
  TestWorld world;
  const Summary summary =
      good(world.run(train_job("shards: 2 local_steps: 2 batch: 4 accumulate: 3 epochs: 5")));
  CHECK(summary.steps == 20);
  CHECK(summary.samples == 480);
  CHECK(summary.accumulate == 3);
  CHECK(has(summary.json(), "\"accumulate\": 3"));
  TestWorld parts, whole;
  const double part = good(parts.run(exact_job("shards: 1 batch: 1 accumulate: 4 sync: gradients"))).loss;
  CHECK(part == good(whole.run(exact_job("shards: 1 batch: 4 sync: gradients"))).loss);
}

TEST_CASE("an optimizer of second gradients takes no accumulated ones") {
  const std::string told = error_of(train_job(kAveraging + "accumulate: 2", "optimizer { sharp {} }"));
  CHECK(has(told, "got train { accumulate: 2 }, wanted 1"));
  CHECK(digest(train_job(kAveraging + "clip { value: 0.01 }", "optimizer { sharp {} }")) !=
        digest(train_job(kAveraging, "optimizer { sharp {} }")));
}

// ---- clipping

TEST_CASE("a bound that is never met changes no bit") {
  for (const std::string& train : {kAveraging, kGradients})
    for (const char* clip : {"clip { value: 1e6 }", "clip { norm: 1e6 }", "clip { global_norm: 1e6 }"})
      CHECK(digest(train_job(train + clip)) == digest(train_job(train)));
}

TEST_CASE("clipped by value, no weight moves by more in a step") {
  RunOptions none, one;
  one.max_steps = 1;
  const std::string train = "shards: 1 local_steps: 1 batch: 4 epochs: 1 ";
  const std::string more = "optimizer { roll { rate: 1 momentum: 0 } }";
  const std::string at_zero = train + "clip { value: 1e-30 }";
  const auto before = weights_of(train_job(at_zero, more), one);
  const auto after = weights_of(train_job(train + "clip { value: 0.03125 }", more), one);
  double most = 0;
  for (size_t t = 0; t < before.size(); ++t)
    for (size_t i = 0; before[t].name != "m.mean" && i < before[t].values.size(); ++i)
      most = std::max(most, std::abs(double{after[t].values[i]} - double{before[t].values[i]}));
  // The weights are below 2: a difference of two rounds by 2^-23 at most.
  CHECK(most == doctest::Approx(0.03125).epsilon(0x1p-17));
}

TEST_CASE("a layer that no loss depends on has no part in norms and penalties") {
  const std::string rules = "parameters { match: \"*\" l2: 0.1 }";
  const std::string idle = "layer { name: \"idle\" input: \"m\" plane { units: 3 } }";
  for (const std::string& train : {kAveraging, kGradients}) {
    const std::string clipped = train + "clip { global_norm: 0.1 } accumulate: 2";
    const NamedTensors with = weights_of(train_job(clipped, rules + idle));
    const NamedTensors without = weights_of(train_job(clipped, rules));
    for (const char* name : {"a.weight", "b.weight"})
      CHECK(values_of(with, name) == values_of(without, name));
  }
}

// ---- the moving average

TEST_CASE("the average is that of the weights after each round") {
  const std::string train = "shards: 2 local_steps: 1 batch: 4 epochs: 1 ";
  const NamedTensors got = weights_of(train_job(train + "average_weights { decay: 0.75 }"));
  std::vector<double> average;
  for (int rounds = 1; rounds <= 12; ++rounds) {
    RunOptions options;
    options.max_steps = rounds;
    const NamedTensors at_round = weights_of(train_job(train), options);
    const std::vector<float>& weights = values_of(at_round, "a.weight");
    if (rounds == 1) average.assign(weights.begin(), weights.end());
    for (size_t i = 0; rounds > 1 && i < weights.size(); ++i)
      average[i] += 0.25 * (double{weights[i]} - average[i]);
  }
  // Twelve roundings, each of a number below 2, that decay to four at most.
  for (size_t i = 0; i < average.size(); ++i)
    CHECK(std::abs(values_of(got, "a.weight")[i] - average[i]) <= 4 * 0x1p-24);
}

TEST_CASE("a round of several steps moves the average by as many") {
  // One shard: rounds do not change its weights, and the average has those of the rounds' ends.
  const std::string train = "shards: 1 local_steps: 2 batch: 4 steps: 4 ";
  const NamedTensors got = weights_of(train_job(train + "average_weights { decay: 0.5 }"));
  RunOptions half;
  half.max_steps = 2;
  const NamedTensors first = weights_of(train_job(train), half), last = weights_of(train_job(train));
  for (size_t i = 0; i < 12; ++i) {
    const double before = values_of(first, "a.weight")[i], after = values_of(last, "a.weight")[i];
    CHECK(values_of(got, "a.weight")[i] == static_cast<float>(before + 0.75 * (after - before)));
  }
}

TEST_CASE("the average is what is validated, tested and written; buffers are the last") {
  TestWorld plain, averaged;
  const Summary last = good(plain.run(train_job(kAveraging)));
  const Summary summary = good(averaged.run(train_job(kAveraging + "average_weights { decay: 0.9 }")));
  CHECK(summary.average_decay == 0.9);
  CHECK(weights_sha256(averaged.weights()) == summary.weights_sha256);
  CHECK(summary.loss == last.loss);  // training goes on from the weights themselves
  CHECK(summary.test != last.test);
  CHECK(summary.validation != last.validation);
  CHECK(values_of(averaged.weights(), "m.mean") == values_of(plain.weights(), "m.mean"));
}

// ---- the best weights

TEST_CASE("training ends with the best weights where the job says so") {
  // Rates below 0 make it worse in the end.
  const std::string more = "schedule { listed { factors: [1, 1, -0.3, -0.3] } }";
  const std::string train = "shards: 4 local_steps: 3 batch: 4 epochs: 4 ";
  TestWorld plain, restored;
  const Summary last = good(plain.run(train_job(train, more)));
  const Summary best = good(restored.run(train_job(train + "restore_best: true", more), 2));
  CHECK(last.weights_sha256 != last.best_weights_sha256);
  CHECK_FALSE(last.restored_best);
  CHECK(best.restored_best);
  CHECK(best.weights_sha256 == last.best_weights_sha256);
  CHECK(best.best_weights_sha256 == last.best_weights_sha256);
  CHECK(weights_sha256(restored.weights()) == last.best_weights_sha256);
  CHECK(best.test == last.best_test);
  CHECK(best.validation == last.best_validation);
  CHECK(has(best.json(), "\"restored_best\": true"));
}

TEST_CASE("a run that is ended early, and one that is prolonged after it, go by the weights themselves") {
  const std::string more = "schedule { listed { factors: [1, 1, -0.3, -0.3, 1, 1] } }";
  const std::string train = "shards: 4 local_steps: 3 batch: 4 restore_best: true ";
  const std::string whole = digest(train_job(train + "epochs: 6", more));
  TestWorld world;
  good(world.run(train_job(train + "epochs: 4", more)));
  RunOptions options;
  options.resume = true;
  options.accept_change = {"job"};
  CHECK(good(world.run(train_job(train + "epochs: 6", more), 1, 1, options)).weights_sha256 == whole);
}

TEST_CASE("there is no best without a validation") {
  Job job = train_job(kAveraging + "restore_best: true");
  job.validation = {};
  CHECK(has(error_of(job), "got a job without any, wanted validation { ... }"));
}

// ---- parameters by pattern

TEST_CASE("frozen by pattern is frozen as a layer, a multiplier by pattern as a layer's") {
  Job frozen = train_job(kAveraging), slow = train_job(kAveraging);
  frozen.layers[0].frozen = true;
  slow.layers[0].rate_multiplier = 0.25;
  CHECK(digest(train_job(kAveraging, "parameters { match: \"a.*\" frozen: true }")) == digest(frozen));
  CHECK(digest(train_job(kAveraging,
                         "parameters { match: \"?.weight\" frozen: true }"
                         "parameters { match: \"b*\" frozen: false }")) == digest(frozen));
  CHECK(digest(train_job(kAveraging, "parameters { match: \"a.w*t\" rate_multiplier: 0.25 }")) ==
        digest(slow));
}

TEST_CASE("a penalty l2 is gradient descent on the sum of both") {
  // Of one step from w: w - rate (g + 2 l2 w).
  RunOptions one;
  one.max_steps = 1;
  const std::string train = "shards: 1 local_steps: 1 batch: 4 epochs: 1 ";
  const std::string sgd = "optimizer { roll { rate: 0.5 momentum: 0 } }";
  const auto begin = weights_of(train_job(train + "clip { value: 1e-30 }", sgd), one);
  const auto without = weights_of(train_job(train, sgd), one);
  const auto with = weights_of(train_job(train, sgd + " parameters { match: \"a.*\" l2: 0.125 }"), one);
  for (size_t i = 0; i < 12; ++i) {
    const double w = values_of(begin, "a.weight")[i];
    const double pulled = values_of(without, "a.weight")[i] - 0.5 * 2 * 0.125 * w;
    // Numbers below 2: the sum of the gradient and the step round.
    CHECK(std::abs(values_of(with, "a.weight")[i] - pulled) <= 4 * 0x1p-24);
  }
}

TEST_CASE("a pattern that matches nothing is told with what there is") {
  const std::string told = error_of(train_job(kAveraging, "parameters { match: \"c1.*\" l1: 1 }"));
  CHECK(has(told, "\"c1.*\" matches no parameter; there are a.weight, b.weight"));
  CHECK(has(told, "toy:"));
}

// ---- what layers begin with

TEST_CASE("a layer begins with rows of a file") {
  const auto job = [](const std::string& file) {
    return train_job(kAveraging,
                     "layer { name: \"c\" input: \"m\" plane { units: 2 } init { file: \"" + file + "\" } }");
  };
  given_rows() = {{1, 2}, {3, 4}, {5, 6}, {7, 8}};
  CHECK(values_of(weights_of(job("w.given")), "c.weight") == std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8});
  given_rows() = {{1, 2}, {3, 4}, {5, 6}};
  CHECK(has(error_of(job("w.given")), "an array [3, 2], wanted c.weight [4, 2]"));
  given_rows() = {{1, 2, 3}, {3, 4, 5}};
  CHECK(has(error_of(job("w.given")), "wanted"));
  CHECK(has(error_of(job("/nowhere/w.safetensors")), "/nowhere/w.safetensors"));
}

TEST_CASE("init of a parameter that is not there is told") {
  CHECK(has(error_of(train_job(kAveraging,
                               "layer { name: \"c\" input: \"m\" plane { units: 1 } init { "
                               "parameter: \"bias\" constant { value: 1 } } }")),
            "layer \"c\" has no \"bias\", only: weight"));
}

}  // namespace plait::inline train
