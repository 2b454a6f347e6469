// Jobs of variable extent: buckets save work and change nothing.
#include <doctest/doctest.h>

#include <set>

#include "train/compile_plan.h"
#include "train/job_data.h"
#include "train/map_worker.h"
#include "train/test_job.h"
#include "train/test_sequences.h"

namespace plait::inline train {
namespace {

const std::string kAveraging = "shards: 4 local_steps: 3 batch: 2 epochs: 2";
const std::string kGradients = "shards: 4 local_steps: 1 batch: 2 epochs: 2 sync: gradients";

struct Outcome {
  std::string weights;
  std::vector<NamedValues> evaluations;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome(const Job& job, int ranks = 1, int threads = 1) {
  TestWorld world;
  const auto summary = world.run(job, ranks, threads);
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  Outcome outcome{summary->weights_sha256, {}};
  for (const EvaluationInfo& evaluation : world.observer.evaluations)
    outcome.evaluations.push_back(evaluation.values);
  return outcome;
}

}  // namespace

TEST_CASE("sequences: any number of ranks and threads, in buckets or at the bound, gives the same bits") {
  for (const std::string& train : {kAveraging, kGradients}) {
    const Outcome at_bound = outcome(sequence_job(train + " buckets: false"));
    CHECK(at_bound.evaluations.size() >= 3);  // two epochs, and the test
    const Job job = sequence_job(train);
    for (int ranks = 1; ranks <= 3; ++ranks) {
      for (int threads = 1; threads <= 2; ++threads) CHECK(outcome(job, ranks, threads) == at_bound);
    }
    CHECK(outcome(sequence_job(train, "device { far {} }"), 2, 2) == at_bound);
    CHECK(outcome(sequence_job(train, "seed: 2")).weights != at_bound.weights);
  }
}

TEST_CASE("sequences: a stopped run goes on to the same bits") {
  const Job job = sequence_job(kAveraging);
  const std::string whole = outcome(job).weights;
  TestWorld world;
  world.observer.on_round = [&](const RoundInfo& round) {
    if (round.round == 2) world.stop = true;
  };
  REQUIRE(world.run(job, 2).is_ok());
  world.stop = false;
  RunOptions options;
  options.resume = true;
  const auto resumed = world.run(job, 1, 2, options);
  REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
  CHECK(resumed->weights_sha256 == whole);
}

TEST_CASE("the workers of a rank share a plan per bucket, compiled when it is met") {
  const Job job = sequence_job("shards: 1 batch: 2 shuffle: false");
  const auto device = Device::open(train_registry(), *job.device.entry, *job.device.config);
  const auto data = JobData::open(train_registry(), job, 0);
  const auto optimizer =
      OptimizerInstance::create(train_registry(), job.optimizer, job.schedules, (*device)->kernels());
  REQUIRE((device.is_ok() && data.is_ok() && optimizer.is_ok()));
  auto plans = compile_plans(train_registry(), job, (*data)->training().parts(), {2, true, true}, **device);
  REQUIRE_MESSAGE(plans.is_ok(), plans.status().message());
  REQUIRE((*plans)->buckets().count() == 4);  // 40, 24, 16, 8
  CHECK((*plans)->compiled() == 1);

  const MapWorker::Setup setup{plans->get(),      device->get(),    &(*data)->training(),
                               &(*data)->order(), optimizer->get(), 1};
  auto first = MapWorker::create(setup), second = MapWorker::create(setup);
  REQUIRE((first.is_ok() && second.is_ok()));
  const auto state = initial_state((*plans)->whole(), 1, **optimizer, nullptr);
  REQUIRE(state.is_ok());
  std::vector<double> runtime((*optimizer)->runtime_fields());
  REQUIRE((*optimizer)->runtime({0, 48, 48}, runtime).is_ok());
  REQUIRE((*first)->load(*state).is_ok());
  REQUIRE((*second)->load(*state).is_ok());
  std::set<size_t> met{0};
  for (int64_t step = 0; step < 48; ++step) {
    const auto length = static_cast<int32_t>(
        std::max(test_sequences::Words::length(2 * step), test_sequences::Words::length(2 * step + 1)));
    const BatchExtents longest[] = {{length, 0}, {0, 0}};
    met.insert((*plans)->buckets().holding(longest));
    for (const auto& worker : {first->get(), second->get()})
      REQUIRE(worker->step(2 * step, -1, step, 0, 0, runtime, step).is_ok());
    CHECK((*plans)->compiled() == met.size());
  }
  CHECK(met.size() == 4);
}

}  // namespace plait::inline train
