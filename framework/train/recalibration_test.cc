// Running statistics measured anew: against statistics of all records, with weights as the run ends with
// them.
#include "train/recalibration.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "pipeline/load.h"
#include "train/test_job.h"

namespace plait::inline train {
namespace {

Result<Job> job_of(const std::string& train, const std::string& layers, const std::string& more = "") {
  return parse_job(train_registry(),
                   "source { given { file: \"a.given\" } } optimizer { roll { rate: 0.01 } }\n" + layers +
                       "loss { target: \"rows\" squares {} }\ntrain { " + train + " }\n" + more,
                   "statistics");
}

// y = x W, whose statistics `spread` keeps.
const std::string kLayers =
    "layer { name: \"a\" input: \"rows\" plane { units: 3 } init { constant { value: 0.5 } } }\n"
    "layer { name: \"v\" spread {} }\n";

void fill_rows() {
  given_rows() = {{1, 2, 0}, {3, -1, 2}, {0, 4, 1}, {-2, 1, 1}, {5, 0, 0}, {1, 1, 1}, {2, -3, 1}, {0, 0, 4}};
}

NamedTensors weights_of(const std::string& train, int ranks = 1, const std::string& more = "") {
  fill_rows();
  const auto job = job_of(train, kLayers, more);
  REQUIRE_MESSAGE(job.is_ok(), job.status().message());
  TestWorld world;
  const auto summary = world.run(*job, ranks);
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  return world.weights();
}

const std::vector<float>& values_of(const NamedTensors& tensors, const std::string& name) {
  const auto found = std::ranges::find(tensors, name, &NamedTensor::name);
  REQUIRE_MESSAGE(found != tensors.end(), name);
  return found->values;
}

std::string error_of(const Result<Job>& job) {
  REQUIRE_MESSAGE(job.is_ok(), job.status().message());
  TestWorld world;
  const auto summary = world.run(*job);
  REQUIRE_FALSE(summary.is_ok());
  return summary.status().message();
}

struct Statistics {
  double mean = 0, variance = 0;
};

// Of the outputs of all rows, in f64.
Statistics statistics_with(const std::vector<float>& weights) {
  std::vector<double> outputs;
  for (const std::vector<float>& row : given_rows()) {
    for (size_t u = 0; u < 3; ++u) {
      double sum = 0;
      for (size_t c = 0; c < 3; ++c) sum += double{row[c]} * double{weights[c * 3 + u]};
      outputs.push_back(sum);
    }
  }
  Statistics found;
  for (const double y : outputs) found.mean += y / static_cast<double>(outputs.size());
  for (const double y : outputs)
    found.variance += (y - found.mean) * (y - found.mean) / static_cast<double>(outputs.size());
  return found;
}

const std::string kTrain = "shards: 2 local_steps: 2 batch: 2 steps: 8 ";

}  // namespace

// Each output is off by a few roundings of f32: 2^-22 of values below 8.
TEST_CASE("batches that hold every record once measure the statistics of all, with the last weights") {
  for (const std::string more : {"", "device { far {} }"}) {
    for (const int ranks : {1, 2, 3}) {
      const NamedTensors weights = weights_of(kTrain + "recalibrate: 4", ranks, more);
      const Statistics wanted = statistics_with(values_of(weights, "a.weight"));
      CHECK(values_of(weights, "v.mean")[0] == doctest::Approx(wanted.mean).epsilon(1e-5));
      CHECK(values_of(weights, "v.variance")[0] == doctest::Approx(wanted.variance).epsilon(1e-5));
    }
  }
  const NamedTensors without = weights_of(kTrain);
  const Statistics wanted = statistics_with(values_of(without, "a.weight"));
  CHECK(std::abs(double{values_of(without, "v.mean")[0]} - wanted.mean) > 1e-3);
}

TEST_CASE("a moving average of weights has statistics of its own") {
  const NamedTensors weights = weights_of(kTrain + "recalibrate: 4 average_weights { decay: 0.5 }");
  const Statistics wanted = statistics_with(values_of(weights, "a.weight"));
  CHECK(values_of(weights, "v.mean")[0] == doctest::Approx(wanted.mean).epsilon(1e-5));
  CHECK(values_of(weights, "v.variance")[0] == doctest::Approx(wanted.variance).epsilon(1e-5));
}

TEST_CASE("training itself goes on as without it") {
  const auto weight = [](const std::string& train) { return values_of(weights_of(train), "a.weight"); };
  CHECK(weight(kTrain + "recalibrate: 3") == weight(kTrain));
}

TEST_CASE("a frozen layer keeps its statistics, and a network without any is refused") {
  fill_rows();
  const std::string plane = "layer { name: \"a\" input: \"rows\" plane { units: 3 } }\n";
  const std::string told = error_of(job_of(kTrain + "recalibrate: 4", plane));
  CHECK(told.find("train.recalibrate measures running statistics: got a network without a layer") !=
        std::string::npos);
  CHECK(told.find("statistics:") != std::string::npos);  // the place
  const std::string frozen = plane + "layer { name: \"v\" frozen: true spread {} }\n";
  CHECK(error_of(job_of(kTrain + "recalibrate: 4", frozen)).find("is not frozen") != std::string::npos);
}

TEST_CASE("a run that is stopped writes the statistics of its rounds; gone on with, it measures them") {
  fill_rows();
  const auto job = job_of(kTrain + "recalibrate: 4", kLayers);
  TestWorld world;
  world.observer.on_round = [&](const RoundInfo& round) { world.stop = round.round == 1; };
  REQUIRE(world.run(*job).is_ok());
  const Statistics then = statistics_with(values_of(world.weights(), "a.weight"));
  CHECK(std::abs(double{values_of(world.weights(), "v.mean")[0]} - then.mean) > 1e-4);
  world.stop = false;
  world.observer.on_round = nullptr;
  RunOptions options;
  options.resume = true;
  REQUIRE(world.run(*job, 2, 2, options).is_ok());
  CHECK(values_of(world.weights(), "v.mean") == values_of(weights_of(kTrain + "recalibrate: 4"), "v.mean"));
}

}  // namespace plait::inline train
