// A run that is resumed: nothing that changes its bits goes unsaid, and what changes none of them is let
// through.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "train/checkpoint.h"
#include "train/run_folder.h"
#include "train/test_job.h"

namespace plait::inline train {
namespace {

const std::string kShort = "shards: 4 local_steps: 3 batch: 4 epochs: 2";

// Stops after round 1 of a job whose checkpoints come at each round.
struct StoppedRun : TestWorld {
  explicit StoppedRun(const std::string& train = kShort, const std::string& more = "") {
    observer.on_round = [this](const RoundInfo& round) { stop = round.round == 1; };
    const auto stopped = run(train_job(train, more));
    REQUIRE_MESSAGE(stopped.is_ok(), stopped.status().message());
    REQUIRE(stopped->status == RunStatus::kStopped);
    stop = false;
    observer.on_round = nullptr;
  }
  Result<Summary> resumed(const Job& job, const std::set<std::string>& accept = {}) {
    RunOptions options;
    options.resume = true;
    options.accept_change = accept;
    return run(job, 1, 1, options);
  }
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string digest_of(const std::string& train, const std::string& more = "") {
  TestWorld world;
  const auto summary = world.run(train_job(train, more));
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  return summary->weights_sha256;
}

TEST_CASE("what changes no results is let through") {
  const std::string whole = digest_of(kShort);
  for (const std::string more : {" keep_checkpoints: 5", " checkpoint_every: 1", " max_seconds: 1e6"}) {
    StoppedRun run;
    Job job = train_job(kShort + more);
    job.name = "another";
    const auto summary = run.resumed(job);
    REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
    CHECK(summary->weights_sha256 == whole);
    CHECK(summary->changes.empty());
  }
}

TEST_CASE("what changes results is refused field by field, and nothing is written") {
  StoppedRun run;
  const std::string metrics = *run.files.read("run/metrics.jsonl"),
                    job = *run.files.read("run/resolved.txtpb");
  const std::string other = "shards: 4 local_steps: 3 batch: 2 epochs: 2";
  const Status refused = run.resumed(train_job(other, "optimizer { roll { rate: 0.2 } }")).status();
  CHECK(refused.code() == Code::kInvalid);
  CAPTURE(refused.message());
  CHECK(has(refused.message(), "\n  job: train.batch was 4, is 2\n"));
  CHECK(has(refused.message(), "\n  job: optimizer.roll.rate was 0.1, is 0.2\n"));
  CHECK(has(refused.message(), "--accept-change job "));
  CHECK(*run.files.read("run/metrics.jsonl") == metrics);
  CHECK(*run.files.read("run/resolved.txtpb") == job);
}

TEST_CASE("a change that was accepted is told, and kept in the run") {
  StoppedRun run;
  const Job job = train_job(kShort, "optimizer { roll { rate: 0.2 } }");
  const auto summary = run.resumed(job, {part::kJob});
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  REQUIRE(summary->changes.size() == 1);
  CHECK(summary->changes[0].round >= 2);
  const std::string wanted = "other bits from round " + std::to_string(summary->changes[0].round) +
                             " on (job: optimizer.roll.rate was 0.1, is 0.2)";
  CHECK(summary->changes[0].text() == wanted);
  CHECK(std::ranges::count(run.observer.messages, wanted) == 1);
  CHECK(has(*run.files.read("run/summary.json"), wanted));
  CHECK(has(*run.files.read("run/resolved.txtpb"), "rate: 0.2"));
  const auto again = run.resumed(job);  // has it from the checkpoint, and wants no second yes
  REQUIRE_MESSAGE(again.is_ok(), again.status().message());
  CHECK(again->changes.size() == 1);
}

TEST_CASE("a change accepted where no step is left stays in the run") {
  // The second ends with a round that was cut short: a longer run does not go on from there.
  for (const std::string& train : {kShort, std::string("shards: 4 local_steps: 3 batch: 4 steps: 7")}) {
    TestWorld world;
    const auto resumed = [&](const Job& job, const std::set<std::string>& accept = {}) {
      RunOptions options;
      options.resume = true;
      options.accept_change = accept;
      return world.run(job, 1, 1, options);
    };
    const auto whole = world.run(train_job(train));
    REQUIRE_MESSAGE(whole.is_ok(), whole.status().message());
    const Job changed = train_job(train, "optimizer { roll { rate: 0.2 } }");
    CHECK(resumed(changed).status().code() == Code::kInvalid);
    const auto accepted = resumed(changed, {"job"});
    REQUIRE_MESSAGE(accepted.is_ok(), accepted.status().message());
    CHECK(accepted->weights_sha256 == whole->weights_sha256);
    const auto later = resumed(changed);
    REQUIRE_MESSAGE(later.is_ok(), later.status().message());
    REQUIRE(later->changes.size() == 1);
    CHECK(later->changes[0].round == whole->rounds);
    CHECK(has(later->changes[0].what, "optimizer.roll.rate"));
    CHECK(later->best_validation == whole->best_validation);
    CHECK(resumed(train_job(train)).status().code() == Code::kInvalid);
    if (train == kShort) continue;
    world.observer.messages.clear();
    const auto longer =
        resumed(train_job("shards: 4 local_steps: 3 batch: 4 steps: 12", "optimizer { roll { rate: 0.2 } }"),
                {"job"});
    REQUIRE_MESSAGE(longer.is_ok(), longer.status().message());
    CHECK(std::ranges::any_of(world.observer.messages, [](const std::string& said) {
      return has(said, "the run was to end there, at step 7");
    }));
  }
}

TEST_CASE("other records at the same place are noticed") {
  StoppedRun run;
  points_edition = 1;
  const Status refused = run.resumed(train_job(kShort)).status();
  const auto accepted = run.resumed(train_job(kShort), {part::kData, part::kIsa});
  points_edition = 0;
  CHECK(refused.code() == Code::kInvalid);
  for (const char* place : {"source.points", "validation.points", "test.points"})
    CHECK_MESSAGE(has(refused.message(), std::string("\n  data: ") + place + " was sha256 "),
                  refused.message());
  CHECK(has(refused.message(), "--accept-change data "));
  REQUIRE_MESSAGE(accepted.is_ok(), accepted.status().message());
  CHECK(accepted->changes.size() == 3);
}

TEST_CASE("another program is noticed") {
  StoppedRun run;
  RunOptions options;
  options.resume = true;
  options.program = "plait 1.0.1";
  const Status refused = run.run(train_job(kShort), 1, 1, options).status();
  CHECK(has(refused.message(), "\n  program: plait was , is plait 1.0.1\n"));
  options.accept_change = {part::kProgram};
  CHECK(run.run(train_job(kShort), 1, 1, options).is_ok());
}

TEST_CASE("a run that is made longer has the bits of one that was so long from the beginning") {
  // 6 steps an epoch. Of the ends, 2 epochs end a round and an epoch, 1.5 a round alone; 10 and 11 steps cut
  // one.
  for (const auto& [keep, more] : std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {"", "schedule { halve {} }"}, {"keep_checkpoints: 1 ", ""}}) {
    const auto train = [&](const std::string& length) {
      return "shards: 4 local_steps: 3 batch: 4 " + keep + length;
    };
    TestWorld whole;
    const auto wanted = whole.run(train_job(train("epochs: 4"), more));
    REQUIRE(wanted.is_ok());
    for (const std::string first : {"epochs: 2", "epochs: 1.5", "steps: 10", "steps: 11", "steps: 2"}) {
      TestWorld world;
      REQUIRE(world.run(train_job(train(first), more)).is_ok());
      RunOptions options;
      options.resume = true;
      const auto longer = world.run(train_job(train("epochs: 4"), more), 2, 1, options);
      CAPTURE(first);
      REQUIRE_MESSAGE(longer.is_ok(), longer.status().message());
      CHECK(longer->weights_sha256 == wanted->weights_sha256);
      CHECK(longer->best_validation == wanted->best_validation);
      CHECK(weights_sha256(world.weights("best")) == weights_sha256(whole.weights("best")));
      CHECK(longer->test == wanted->test);
      CHECK(longer->steps == wanted->steps);
      CHECK(longer->changes.empty());
      CHECK(*world.files.read("run/curve.csv") == *whole.files.read("run/curve.csv"));
    }
  }
}

// The last round of 10 steps is a short one; 1.5 epochs end with a validation within an epoch.
void check_made_longer(const RunOptions& options, const std::string& first, TestWorld& whole,
                       const Summary& wanted, int64_t stop_at) {
  const auto job = [](const std::string& length) {
    return train_job("shards: 4 local_steps: 3 batch: 4 " + length);
  };
  TestWorld world;
  std::atomic<int64_t> reads = 0;
  before_points_read() = [&] { world.stop = world.stop || ++reads == stop_at; };
  const auto ended = world.run(job(first), 1, 1, options);
  before_points_read() = nullptr;
  REQUIRE_MESSAGE(ended.is_ok(), ended.status().message());
  world.stop = false;
  RunOptions longer;
  longer.resume = true;
  const auto summary = world.run(job("epochs: 4"), 2, 1, longer);
  CAPTURE(first);
  CAPTURE(stop_at);
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  CHECK(summary->weights_sha256 == wanted.weights_sha256);
  CHECK(summary->best_validation == wanted.best_validation);
  CHECK(*world.files.read("run/checkpoints/best.safetensors") ==
        *whole.files.read("run/checkpoints/best.safetensors"));
  CHECK(summary->test == wanted.test);
  CHECK(summary->steps == wanted.steps);
}

TEST_CASE("a run that was stopped, or ended by a limit of steps, is made longer to the same bits") {
  TestWorld whole;
  std::atomic<int64_t> reads = 0;
  before_points_read() = [&] { ++reads; };
  const auto wanted = whole.run(train_job("shards: 4 local_steps: 3 batch: 4 epochs: 4"));
  before_points_read() = nullptr;
  REQUIRE(wanted.is_ok());
  for (const std::string first : {"epochs: 1.5", "steps: 10"}) {
    for (int64_t k = 1; k <= reads / 2; k += 11) check_made_longer({}, first, whole, *wanted, k);
    for (int64_t most = 3; most <= 10; ++most) {
      RunOptions options;
      options.max_steps = most;
      check_made_longer(options, first, whole, *wanted, 0);
    }
  }
}

TEST_CASE("a limit of steps that is raised goes on to the bits of the whole run") {
  const std::string whole = digest_of(kShort, "schedule { fade {} }");
  TestWorld world;
  RunOptions options;
  options.max_steps = 6;
  REQUIRE(world.run(train_job(kShort, "schedule { fade {} }"), 1, 1, options).is_ok());
  options.max_steps = 0;
  options.resume = true;
  const auto resumed = world.run(train_job(kShort, "schedule { fade {} }"), 1, 1, options);
  REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
  CHECK(resumed->weights_sha256 == whole);
}

TEST_CASE("a schedule that depends on the number of steps is named") {
  TestWorld world;
  REQUIRE(world.run(train_job(kShort, "schedule { fade {} }")).is_ok());
  RunOptions options;
  options.resume = true;
  const Job longer = train_job("shards: 4 local_steps: 3 batch: 4 epochs: 3", "schedule { fade {} }");
  const Status refused = world.run(longer, 1, 1, options).status();
  CHECK(refused.code() == Code::kInvalid);
  CAPTURE(refused.message());
  CHECK(has(refused.message(), "train.epochs was 2, is 3"));
  CHECK(has(refused.message(), "the schedule of rate, plait.fade (toy:"));
  options.accept_change = {part::kJob};
  const auto accepted = world.run(longer, 1, 1, options);
  REQUIRE_MESSAGE(accepted.is_ok(), accepted.status().message());
  CHECK(accepted->changes.size() == 1);
}

TEST_CASE("a run cannot be made shorter than it is") {
  TestWorld world;
  REQUIRE(world.run(train_job(kShort)).is_ok());
  RunOptions options;
  options.resume = true;
  const auto shorter = world.run(train_job("shards: 4 local_steps: 3 batch: 4 epochs: 1"), 1, 1, options);
  CHECK(has(shorter.status().message(), "the run has gone 12 steps already, and the job has 6"));
}

// The newest checkpoint, changed by somebody who writes a digest under it.
void change_newest(TestWorld& world, const std::function<void(Checkpoint&)>& change) {
  const std::string path = "run/checkpoints/" + world.files.list("run/checkpoints")->back();
  auto checkpoint = decode_checkpoint(*world.files.read(path), path);
  REQUIRE_MESSAGE(checkpoint.is_ok(), checkpoint.status().message());
  change(*checkpoint);
  REQUIRE(world.files.write_atomically(path, encode(*checkpoint)).is_ok());
}

TEST_CASE("a checkpoint of a stage that the job has not, or that counts what no run does, is passed over") {
  const std::string each = kShort + " checkpoint_every: 1", whole = digest_of(each);
  for (const auto& change : std::vector<std::function<void(Checkpoint&)>>{
           [](Checkpoint& c) { c.stage = 9; }, [](Checkpoint& c) { c.step = -3; }}) {
    StoppedRun run(each);
    change_newest(run, change);
    const auto resumed = run.resumed(train_job(each));
    REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
    CHECK(resumed->weights_sha256 == whole);
    CHECK(resumed->steps == 12);
  }
}

TEST_CASE("a checkpoint whose round does not fit its step is refused") {
  StoppedRun run;
  change_newest(run, [](Checkpoint& c) { c.counters.steps = c.step += 1; });
  const Status refused = run.resumed(train_job(kShort)).status();
  CHECK(refused.code() == Code::kCorrupt);
  CHECK(has(refused.message(), "checkpoint: it is of round 2 at step 7, and each round has 3 steps"));
}

TEST_CASE("a checkpoint of a stage after the last is refused") {
  const std::string again = "pretrain { again { stages: 1 } }";
  StoppedRun run(kShort, again);
  change_newest(run, [](Checkpoint& c) { c.stage = 9; });
  const Status refused = run.resumed(train_job(kShort, again)).status();
  CHECK(refused.code() == Code::kCorrupt);
  CHECK(has(refused.message(), "checkpoint: it is of stage 9, and the last of the job is 1"));
}

TEST_CASE("lines of metrics.jsonl that count nothing are left out") {
  StoppedRun run;
  const std::string path = "run/metrics.jsonl", before = *run.files.read(path);
  REQUIRE(run.files
              .append(path,
                      "{\"stage\": 0, \"step\": 1e300}\n{\"stage\": -1e300, \"step\": 1}\n"
                      "{\"stage\": 0, \"step\": -1}\n{\"stage\": 1e300, \"step\": 1}\n")
              .is_ok());
  REQUIRE(run.resumed(train_job(kShort)).is_ok());
  const std::string after = *run.files.read(path);
  CHECK(after.starts_with(before));
  CHECK_FALSE(has(after, "1e+300"));
  CHECK_FALSE(has(after, "1e300"));
  CHECK_FALSE(has(after, ": -1"));
}

TEST_CASE("columns of curve.csv are one each, whatever their values are called") {
  MemoryFiles files;
  RunFolder folder(files, "run");
  REQUIRE(folder.begin("").is_ok());
  EvaluationInfo info;
  info.on = "validation";
  info.values = {{"a,b\"c", 1}, {"d", 2}};
  REQUIRE(folder.add(info).is_ok());
  CHECK(has(*files.read("run/curve.csv"),
            "stage,step,epoch,train_loss,\"validation_a,b\"\"c\",validation_d\n0,0,0,0,1,2\n"));
}

TEST_CASE("a second run into a folder is told who writes there, and leaves it alone") {
  TestWorld world;
  REQUIRE(world.files.make_directories("run").is_ok());
  const auto held = world.files.lock("run/lock", "pid 7 on node3, since long ago");
  REQUIRE(held.is_ok());
  for (const bool resume : {false, true}) {
    if (resume) REQUIRE(world.files.make_directories("run/checkpoints").is_ok());
    RunOptions options;
    options.resume = resume;
    const Status refused = world.run(train_job(kShort), 2, 1, options).status();
    CHECK(refused.code() == Code::kPeer);
    CHECK(refused.message() == "run: another run writes into this folder: pid 7 on node3, since long ago");
  }
  CHECK_FALSE(world.files.exists("run/resolved.txtpb"));
}

TEST_CASE("a folder without a run is not made by resuming one") {
  TestWorld world;
  RunOptions options;
  options.resume = true;
  CHECK(world.run(train_job(kShort), 1, 1, options).status().code() == Code::kNotFound);
  CHECK_FALSE(world.files.exists("run"));
}

}  // namespace
}  // namespace plait::inline train
