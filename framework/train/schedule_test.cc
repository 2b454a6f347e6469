// Schedules that look at validations, and that end training.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "pipeline/load.h"
#include "train/check_job.h"
#include "train/checkpoint.h"
#include "train/run_folder.h"
#include "train/test_job.h"

namespace plait::inline train {
namespace {

// 6 steps an epoch: a validation after each second round.
std::string train(const std::string& more = "epochs: 6") {
  return "shards: 4 local_steps: 3 batch: 4 " + more;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string digest_of(const Job& job, int ranks = 1) {
  TestWorld world;
  const auto summary = world.run(job, ranks, ranks);
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  return summary->weights_sha256;
}

// At a high rate validations become worse.
const std::string kWatched = "optimizer { roll { rate: 0.9 } } schedule { watch {} }";

TEST_CASE("a schedule's value follows from the validations before the round") {
  TestWorld watched;
  const auto summary = watched.run(train_job(train(), kWatched));
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  // What each epoch's factor has to be, from the errors that were told.
  std::string factors;
  double best = std::numeric_limits<double>::infinity(), factor = 1;
  for (const EvaluationInfo& one : watched.observer.evaluations) {
    if (one.on != "validation") continue;
    factors += " factors: " + std::to_string(factor);
    const double error = one.values[0].second;
    factor /= error < best ? 1 : 2;
    best = std::min(best, error);
  }
  CAPTURE(factors);
  REQUIRE(factor <= 0.5);  // else the test says nothing
  const std::string listed = "optimizer { roll { rate: 0.9 } } schedule { listed {" + factors + " } }";
  CHECK(summary->weights_sha256 == digest_of(train_job(train(), listed)));
  CHECK(summary->weights_sha256 != digest_of(train_job(train(), "optimizer { roll { rate: 0.9 } }")));
}

TEST_CASE("ranks, and a run that was stopped and resumed, have the bits of one rank") {
  for (const std::string& more : {kWatched, kWatched + " schedule { tire { after: 4 } }"}) {
    const Job job = train_job(train(), more);
    const std::string whole = digest_of(job);
    for (const int ranks : {2, 3}) CHECK(digest_of(job, ranks) == whole);
    for (int64_t stop_at : {1, 3, 4, 5, 7}) {
      TestWorld world;
      world.observer.on_round = [&](const RoundInfo& round) { world.stop = round.round == stop_at; };
      const auto stopped = world.run(job);
      REQUIRE_MESSAGE(stopped.is_ok(), stopped.status().message());
      CAPTURE(stop_at);
      world.observer.on_round = nullptr;
      world.stop = false;
      RunOptions options;
      options.resume = true;
      const auto resumed = world.run(job, 2, 1, options);
      REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
      CHECK(resumed->status == RunStatus::kComplete);
      CHECK(resumed->weights_sha256 == whole);
    }
  }
}

TEST_CASE("a schedule ends training: the run is complete, tested, and says why, on all ranks") {
  const Job job = train_job(train(), "schedule { halve {} } schedule { tire { after: 2 } }");
  for (const int ranks : {1, 2, 3}) {
    TestWorld world;
    const auto summary = world.run(job, ranks);
    REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
    CHECK(summary->status == RunStatus::kComplete);
    CHECK(summary->steps == 12);
    CHECK(has(summary->ended_early, "plait.tire (toy:"));
    CHECK(has(summary->ended_early, ") after step 12"));
    CHECK(has(*world.files.read("run/summary.json"), "\"ended_early\": \"plait.tire (toy:"));
    CHECK_FALSE(summary->test.empty());
    const auto told = std::ranges::count_if(world.observer.messages, [](const std::string& text) {
      return text.starts_with("training is ended by plait.tire (toy:");
    });
    CHECK(told == 1);
    CHECK(summary->weights_sha256 == digest_of(train_job(train("epochs: 2"), "schedule { halve {} }")));
  }
}

TEST_CASE("what ended is not gone on with, and a limit of steps does not hide it") {
  const Job job = train_job(train(), "schedule { tire { after: 2 } }");
  TestWorld world;
  RunOptions options;
  options.max_steps = 9;
  const auto cut = world.run(job, 1, 1, options);
  REQUIRE_MESSAGE(cut.is_ok(), cut.status().message());
  CHECK(has(cut->ended_early, "--max-steps 9 after step 9 of "));
  options = {};
  options.resume = true;
  for (const Job& again : {job, train_job(train("epochs: 9"), "schedule { tire { after: 2 } }")}) {
    const auto resumed = world.run(again, 1, 1, options);
    REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
    CHECK(resumed->steps == 12);
    CHECK(has(resumed->ended_early, "after step 12"));
  }
}

TEST_CASE("a run that nothing ends says so") {
  TestWorld world;
  const auto summary = world.run(train_job(train("epochs: 1"), "schedule { tire {} }"));
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  CHECK(summary->ended_early.empty());
  CHECK(has(*world.files.read("run/summary.json"), "\"ended_early\": \"\""));
}

TEST_CASE("a job without the value that a schedule looks at is refused before it runs") {
  for (const auto& [more, words] : std::vector<std::pair<std::string, std::string>>{
           {"schedule { watch { monitor: \"acuracy\" } }",
            "plait.watch looks at a value of validations: got \"acuracy\", wanted one of error, loss"},
           {"schedule { watch { monitor: \"loss\" } }", ""},
           {"schedule { watch {} }", ""}}) {
    const auto checked = check_job(train_registry(), train_job(train(), more), 1);
    CAPTURE(checked.status().message());
    CHECK(checked.is_ok() == words.empty());
    if (words.empty()) continue;
    CHECK(has(checked.status().message(), words));
    CHECK(has(checked.status().message(), "toy:"));
  }
  Job blind = train_job(train(), "schedule { watch {} }");
  blind.validation = {};
  const Status refused = check_job(train_registry(), blind, 1).status();
  CHECK(refused.code() == Code::kInvalid);
  CHECK(
      has(refused.message(), "plait.watch looks at validations: got a job without any, wanted validation {"));
}

TEST_CASE("a schedule that may end training has a field where one is written") {
  CHECK(train_job(train(), "schedule { tire {} }").schedules[0].field.empty());
  CHECK(train_job(train(), "schedule { field: \"rate\" tire {} }").schedules[0].field == "rate");
  CHECK(train_job(train(), "schedule { watch {} }").schedules[0].field == "rate");
  const Job job = train_job(train(), "schedule { tire {} } schedule { watch {} }");
  const auto again = parse_job(train_registry(), job.resolved, "resolved");
  REQUIRE_MESSAGE(again.is_ok(), again.status().message());
  CHECK(again->schedules[0].field.empty());
  CHECK(again->schedules[1].field == "rate");
}

TEST_CASE("values of earlier validations that a changed job no longer has are passed over") {
  TestWorld world;
  world.observer.on_round = [&](const RoundInfo& round) { world.stop = round.round == 4; };
  Job job = train_job(train(), "schedule { watch { monitor: \"loss\" } }");
  REQUIRE(world.run(job).is_ok());
  world.observer.on_round = nullptr;
  world.stop = false;
  job.metrics.clear();
  RunOptions options;
  options.resume = true;
  const auto resumed = world.run(job, 1, 1, options);
  REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
  CHECK(resumed->weights_sha256 == digest_of(job));
}

TEST_CASE("checkpoints keep what schedules look back at") {
  TestWorld world;
  REQUIRE(world.run(train_job(train("epochs: 3"))).is_ok());
  CheckpointFolder folder(world.files, checkpoints_path("run"), 2);
  std::vector<std::string> passed_over;
  const auto newest = folder.newest([](const Checkpoint&) { return ""; }, passed_over);
  REQUIRE_MESSAGE(newest.is_ok(), newest.status().message());
  REQUIRE(newest->validated.size() == 3);
  for (size_t i = 0; i < 3; ++i) CHECK(newest->validated[i].step == static_cast<int64_t>(6 * (i + 1)));
  CHECK(newest->validated[2].values == newest->validation);
}

}  // namespace
}  // namespace plait::inline train
