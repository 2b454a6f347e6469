// Whole runs on worlds in memory: the bits depend on job and seed alone.
#include "train/run.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <thread>

#include "pipeline/load.h"
#include "train/check_job.h"
#include "train/evaluate_run.h"
#include "train/predict_run.h"
#include "train/run_folder.h"
#include "train/test_job.h"

namespace plait::inline train {
namespace {

const std::string kAveraging = "shards: 4 local_steps: 3 batch: 4 epochs: 2";
const std::string kGradients = "shards: 4 local_steps: 1 batch: 4 epochs: 2 sync: gradients";

std::string digest(const Job& job, int ranks = 1, int threads = 1) {
  TestWorld world;
  const auto summary = world.run(job, ranks, threads);
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  return summary->weights_sha256;
}

double largest_difference(const NamedTensors& a, const NamedTensors& b) {
  double largest = 0;
  REQUIRE(a.size() == b.size());
  for (size_t t = 0; t < a.size(); ++t) {
    for (size_t i = 0; i < a[t].values.size(); ++i) {
      largest = std::max(largest, std::abs(double{a[t].values[i]} - double{b[t].values[i]}));
    }
  }
  return largest;
}

TEST_CASE("any number of ranks and threads gives the same weights") {
  for (const std::string& train : {kAveraging, kGradients}) {
    const Job job = train_job(train);
    const std::string one = digest(job);
    for (int ranks = 1; ranks <= 5; ++ranks) {
      for (int threads = 1; threads <= 2; ++threads) CHECK(digest(job, ranks, threads) == one);
    }
    CHECK(digest(train_job(train, "seed: 2")) != one);
  }
}

// With a thread for each shard gradients are not summed beforehand (KeptMean): without buffers.
TEST_CASE("gradients that stay where they are give the weights that their sums give") {
  for (const std::string optimizer :
       {"roll { rate: 0.05 momentum: 0.9 }", "clip {}", "adapt { rate: 0.01 }"}) {
    for (const int shards : {1, 2, 3}) {
      const auto job = parse_job(train_registry(),
                                 "source { points { count: 60 phase: 1 } } optimizer { " + optimizer +
                                     " }\nlayer { name: \"a\" input: \"x\" plane { units: 5 } }\n"
                                     "layer { name: \"b\" plane { units: 1 } }\n"
                                     "loss { target: \"label\" squares {} }\n"
                                     "train { sync: gradients local_steps: 1 batch: 4 steps: 20 shards: " +
                                     std::to_string(shards) + " }",
                                 "kept");
      REQUIRE_MESSAGE(job.is_ok(), job.status().message());
      const std::string one = digest(*job, shards, 1);  // a rank for each shard
      CHECK(digest(*job, 1, shards) == one);
      CHECK(digest(*job, 1, 1) == one);
    }
  }
}

TEST_CASE("the device does not matter where its kernels are the same") {
  for (const std::string& train : {kAveraging, kGradients}) {
    const std::string near = digest(train_job(train, "device { near {} }"));
    CHECK(digest(train_job(train, "device { far {} }"), 2) == near);
    // The shards' results stay there, and are added there.
    for (const int ranks : {1, 2, 3})
      CHECK(digest(train_job(train, "device { adding {} }"), ranks, 2) == near);
  }
}

TEST_CASE("outer optimizers, gathering reducers, reset state and global clipping keep the promise too") {
  for (const std::string more :
       {"outer_optimizer { roll { rate: 0.7 momentum: 0.9 } }", "reducer { middle {} }",
        "reducer { kept {} }", "reducer { kept {} } outer_optimizer { roll { rate: 0.7 momentum: 0.9 } }",
        "train { inner_state: reset }", "optimizer { clip {} }"}) {
    const Job job = train_job(more.starts_with("train") ? kAveraging + " inner_state: reset" : kAveraging,
                              more.starts_with("train") ? "" : more);
    const std::string one = digest(job);
    CHECK(one != digest(train_job(kAveraging)));
    CHECK(digest(job, 3, 2) == one);
  }
}

TEST_CASE("training makes the loss smaller, and the summary adds up") {
  TestWorld world;
  const auto summary = world.run(train_job("shards: 4 local_steps: 3 batch: 4 epochs: 10"), 3);
  REQUIRE(summary.is_ok());
  CHECK(world.observer.rounds.back().loss < 0.2 * world.observer.rounds.front().loss);
  CHECK(summary->rounds == 20);
  CHECK(summary->steps == 60);
  CHECK(summary->samples == 960);
  CHECK(summary->tasks_by_rank == std::vector<int64_t>{40, 20, 20});
  CHECK(summary->test.size() == 2);
  CHECK(summary->test[0].first == "error");
  CHECK(summary->test[0].second == doctest::Approx(2 * summary->test[1].second).epsilon(1e-6));
  CHECK(weights_sha256(world.weights()) == summary->weights_sha256);
  CHECK(world.files.exists("run/summary.json"));
  CHECK(world.files.exists("run/curve.csv"));
  CHECK(world.files.exists("run/checkpoints/best.safetensors"));
}

// A second head with a loss and a metric of the same types.
const std::string kSecondHead =
    "layer { name: \"c\" input: \"m\" plane { units: 1 } }\n"
    "loss { input: \"c\" target: \"label\" weight: 3 squares {} } metric { input: \"c\" target: \"label\" "
    "error {} }\n";

double value_of(const NamedValues& values, const std::string& name) {
  const auto found = std::ranges::find(values, name, [](const auto& value) { return value.first; });
  REQUIRE_MESSAGE(found != values.end(), name);
  return found->second;
}

TEST_CASE("two heads with losses and metrics of one type are reported by name everywhere") {
  for (int ranks : {1, 3}) {
    TestWorld world;
    Job job = train_job(kAveraging, kSecondHead);
    job.evaluate.monitor = "error:c";
    const auto summary = world.run(job, ranks, 2);
    REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
    for (const NamedValues* values : {&summary->test, &summary->validation, &summary->best_validation}) {
      CHECK(values->size() == 5);
      const double b = value_of(*values, "squares:b"), c = value_of(*values, "squares:c");
      CHECK(b != c);
      CHECK(value_of(*values, "loss") == doctest::Approx(b + 3 * c).epsilon(1e-12));
      CHECK(value_of(*values, "error:b") == doctest::Approx(2 * b).epsilon(1e-6));
      CHECK(value_of(*values, "error:c") == doctest::Approx(2 * c).epsilon(1e-6));
    }
    CHECK(summary->loss == doctest::Approx(value_of(summary->losses, "squares:b") +
                                           3 * value_of(summary->losses, "squares:c")));
    CHECK(world.observer.rounds.back().losses == summary->losses);
    // The best weights are those of the smallest "error:c".
    double least = 1e9;
    for (const EvaluationInfo& info : world.observer.evaluations)
      if (info.on == "validation") least = std::min(least, value_of(info.values, "error:c"));
    CHECK(value_of(summary->best_validation, "error:c") == least);
    const std::string curve = *world.files.read("run/curve.csv"),
                      lines = *world.files.read("run/metrics.jsonl");
    CHECK(curve.find("validation_error:b,validation_error:c,validation_loss,validation_squares:b") !=
          std::string::npos);
    CHECK(lines.find("\"losses\":{\"squares:b\":") != std::string::npos);
    CHECK(summary->json().find("\"error:c\"") != std::string::npos);
  }
}

TEST_CASE("a job of one loss reports the total alone") {
  TestWorld world;
  const auto summary = world.run(train_job(kAveraging));
  REQUIRE(summary.is_ok());
  CHECK(summary->losses.empty());
  CHECK(summary->test.size() == 2);
}

TEST_CASE("four shards of 4 at one step are one shard of 16") {
  TestWorld parts, whole;
  REQUIRE(parts.run(train_job("shards: 4 batch: 4 local_steps: 1 epochs: 3 sync: gradients")).is_ok());
  REQUIRE(whole.run(train_job("shards: 1 batch: 16 local_steps: 1 epochs: 3 sync: gradients")).is_ok());
  // The noise differs by shard: at most 0.1 an element. Without it 18 updates of numbers below 1 differ by
  // roundings.
  CHECK(largest_difference(parts.weights(), whole.weights()) < 0.1);
}

TEST_CASE("spare ranks are told of and train nothing") {
  TestWorld world;
  const auto summary = world.run(train_job("shards: 2 local_steps: 2 batch: 4 epochs: 1"), 4);
  REQUIRE(summary.is_ok());
  CHECK(summary->tasks_by_rank == std::vector<int64_t>{6, 6, 0, 0});
  REQUIRE(world.observer.messages.size() == 1);
  CHECK(world.observer.messages[0] == "2 of 4 ranks are spares: there are 2 shards");
}

TEST_CASE("a stopped run goes on to the same bits, on other ranks") {
  for (const std::string& train : {kAveraging, kGradients}) {
    const Job job = train_job(train);
    const std::string whole = digest(job);
    TestWorld world;
    world.observer.on_round = [&](const RoundInfo& round) {
      if (round.round == 1) world.stop = true;
    };
    const auto stopped = world.run(job, 2);
    REQUIRE(stopped.is_ok());
    CHECK(stopped->status == RunStatus::kStopped);
    CHECK(stopped->test.empty());
    world.stop = false;
    world.observer.on_round = nullptr;
    RunOptions options;
    options.resume = true;
    const auto resumed = world.run(job, 3, 2, options);
    REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
    CHECK(resumed->status == RunStatus::kComplete);
    CHECK(resumed->weights_sha256 == whole);
    int64_t tasks = 0;
    for (int64_t count : resumed->tasks_by_rank) tasks += count;
    CHECK(tasks == 4 * resumed->rounds);
  }
}

TEST_CASE("a run stopped before its first round goes on to the same bits") {
  for (const std::string more : {"", "pretrain { again { stages: 1 } }"})
    for (const bool has_weights : {false, true})
      for (int ranks = 1; ranks <= 2; ++ranks) {
        CAPTURE(more);
        CAPTURE(has_weights);
        CAPTURE(ranks);
        const Job job = train_job("shards: 2 batch: 8 epochs: 2", more);
        RunOptions options;
        TestWorld undisturbed, world;
        if (has_weights) {
          TestWorld earlier;
          REQUIRE(earlier.run(train_job("shards: 1 batch: 8 epochs: 1")).is_ok());
          const std::string weights = *earlier.files.read("run/weights.safetensors");
          options.weights_file = "given.safetensors";
          for (TestWorld* one : {&undisturbed, &world})
            REQUIRE(one->files.write_atomically(options.weights_file, weights).is_ok());
        }
        const auto whole = undisturbed.run(job, ranks, 1, options);
        REQUIRE_MESSAGE(whole.is_ok(), whole.status().message());
        world.observer.on_begun = [&] { world.stop = true; };
        const auto stopped = world.run(job, ranks, 1, options);
        REQUIRE_MESSAGE(stopped.is_ok(), stopped.status().message());
        REQUIRE(stopped->status == RunStatus::kStopped);
        world.observer.on_begun = nullptr;
        world.stop = false;
        options = {};
        options.resume = true;
        const auto resumed = world.run(job, 3 - ranks, 1, options);
        REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
        CHECK(resumed->weights_sha256 == whole->weights_sha256);
      }
}

// The only rank takes the only shard's result as it is; of two the sums carry it, and one is a spare.
TEST_CASE("one shard's result is the same where nothing is summed") {
  for (const std::string train :
       {"shards: 1 local_steps: 3 batch: 8 epochs: 3", "shards: 1 local_steps: 1 batch: 8 epochs: 2 lanes: 2",
        "shards: 1 local_steps: 3 batch: 8 epochs: 3 inner_state: reset",
        "shards: 1 local_steps: 2 batch: 4 accumulate: 2 epochs: 2 clip { norm: 0.1 }",
        "shards: 1 local_steps: 5 batch: 8 epochs: 3 average_weights { decay: 0.5 }"}) {
    CAPTURE(train);
    TestWorld alone, with_spare;
    const auto a = alone.run(train_job(train), 1, 2), b = with_spare.run(train_job(train), 2, 1);
    REQUIRE_MESSAGE(a.is_ok(), a.status().message());
    REQUIRE_MESSAGE(b.is_ok(), b.status().message());
    CHECK(a->weights_sha256 == b->weights_sha256);
    CHECK(a->validation == b->validation);
    // Slots too: both go on to the same from what the other left.
    RunOptions options;
    options.resume = true;
    const Job longer = train_job(train + " steps: 60");
    const auto c = alone.run(longer, 2, 1, options), d = with_spare.run(longer, 1, 2, options);
    REQUIRE_MESSAGE(c.is_ok(), c.status().message());
    REQUIRE_MESSAGE(d.is_ok(), d.status().message());
    CHECK(c->weights_sha256 == d->weights_sha256);
  }
}

TEST_CASE("the time that is allowed stops a run") {
  TestWorld world;
  world.observer.on_round = [&](const RoundInfo&) { world.clock.advance(std::chrono::seconds(1)); };
  RunOptions options;
  options.max_seconds = 1.5;
  const auto stopped = world.run(train_job(kAveraging), 2, 1, options);
  REQUIRE(stopped.is_ok());
  CHECK(stopped->status == RunStatus::kStopped);
  CHECK(stopped->rounds == 2);
}

// Stops the run at the k-th record that is read, by the clock or by the flag, and then lets it end.
Summary stopped_and_resumed(const Job& job, int64_t k, int ranks, bool& was_stopped) {
  TestWorld world;
  std::atomic<int64_t> reads = 0;
  RunOptions options;
  options.max_seconds = k % 2 == 0 ? 10 : 0;
  before_points_read() = [&] {
    if (++reads != k) return;
    if (k % 2 == 0) world.clock.advance(std::chrono::seconds(20));
    world.stop = k % 2 != 0;
  };
  auto summary = world.run(job, ranks, 1, options);
  before_points_read() = nullptr;
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  was_stopped = summary->status == RunStatus::kStopped;
  world.stop = false;
  options = {};
  options.resume = true;
  if (was_stopped) summary = world.run(job, 3 - ranks, 1, options);
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  CHECK(summary->status == RunStatus::kComplete);
  return *summary;
}

TEST_CASE("a run stopped at any record goes on to the same bits and choices") {
  for (const std::string more : {"", "pretrain { again { stages: 1 } }"}) {
    const Job job = train_job("shards: 2 local_steps: 3 batch: 8 epochs: 2", more);
    TestWorld world;
    std::atomic<int64_t> reads = 0;
    before_points_read() = [&] { ++reads; };
    const auto whole = world.run(job);
    before_points_read() = nullptr;
    REQUIRE(whole.is_ok());
    int stops = 0;
    for (int64_t k = 1; k <= reads; k += 13) {
      CAPTURE(k);
      bool was_stopped = false;
      const Summary summary = stopped_and_resumed(job, k, k % 4 < 2 ? 1 : 2, was_stopped);
      stops += was_stopped;
      CHECK(summary.weights_sha256 == whole->weights_sha256);
      CHECK(summary.rounds == whole->rounds);
      CHECK(summary.validation == whole->validation);
      CHECK(summary.best_epoch == whole->best_epoch);
      CHECK(summary.best_validation == whole->best_validation);
      CHECK(summary.test == whole->test);
      CHECK(summary.best_test == whole->best_test);
    }
    CHECK(stops > 10);
  }
}

TEST_CASE("a round of a million steps is left at the next one, with a word, by all ranks") {
  const Job job = train_job("shards: 3 local_steps: 1000000 batch: 1 steps: 1000000");
  for (int ranks = 1; ranks <= 3; ++ranks) {
    TestWorld world;
    std::atomic<int64_t> reads = 0;
    before_points_read() = [&] { world.stop = world.stop || ++reads > 100; };
    const auto stopped = world.run(job, ranks, 1);
    before_points_read() = nullptr;
    REQUIRE_MESSAGE(stopped.is_ok(), stopped.status().message());
    CHECK(stopped->status == RunStatus::kStopped);
    CHECK(stopped->rounds == 0);
    CHECK(reads < 100000);
    REQUIRE_FALSE(world.observer.messages.empty());
    CHECK(world.observer.messages.back() ==
          "stopped before a round was finished: --resume goes on where this run began");
    CHECK(world.files.exists("run/summary.json"));
  }
}

TEST_CASE("a source that never comes back from reading does not keep a run from stopping") {
  const Job job = train_job(kAveraging);
  const std::string whole = digest(job);
  TestWorld world;
  std::atomic<bool> released = false;
  std::atomic<int> reads = 0, left = 0;
  before_points_read() = [&] {
    if (++reads == 130) world.stop = true;
    while (reads >= 130 && !released) std::this_thread::yield();
  };
  RunOptions options;
  options.leave = [&](const Status& status) {
    CHECK(status);
    CHECK(world.files.exists("run/summary.json"));
    ++left;
    released = true;
  };
  const auto stopped = world.run(job, 2, 1, options);
  before_points_read() = nullptr;
  REQUIRE_MESSAGE(stopped.is_ok(), stopped.status().message());
  CHECK(stopped->status == RunStatus::kStopped);
  CHECK(stopped->rounds >= 1);
  CHECK(left > 0);
  world.stop = false;
  options = {};
  options.resume = true;
  const auto resumed = world.run(job, 2, 1, options);
  REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
  CHECK(resumed->weights_sha256 == whole);
}

TEST_CASE("a stop before the data is open says that nothing was written") {
  TestWorld world;
  world.stop = true;
  const auto stopped = world.run(train_job(kAveraging), 2);
  CHECK(stopped.status().code() == Code::kStopped);
  CHECK(stopped.status().message().find("nothing was written") != std::string::npos);
  CHECK(world.files.changes() == 0);
}

TEST_CASE("steps that are counted off end a run at a whole round, and it goes on to the same bits") {
  for (const std::string more : {"", "reducer { kept {} }", "pretrain { again {} }"}) {
    const bool pretrains = more.starts_with("pretrain");
    const Job job = train_job(kAveraging, more);  // stages of 8 steps, then 12
    TestWorld world;
    const auto whole = world.run(job);
    REQUIRE(whole.is_ok());
    for (int64_t most = 1; most <= whole->steps + 1; ++most) {
      CAPTURE(most);
      TestWorld cut;
      RunOptions options;
      options.max_steps = most;
      const auto ended = cut.run(job, 1, 1, options);
      if (most < 3) {
        CHECK(ended.status().code() == Code::kUsage);
        CHECK(ended.status().message().find("wanted 3 or more") != std::string::npos);
        CHECK(cut.files.changes() <= 6);  // the lock, the job and what it is given; no checkpoint
        continue;
      }
      REQUIRE_MESSAGE(ended.is_ok(), ended.status().message());
      CHECK(ended->steps <= most);
      CHECK(ended->steps > most - 3);
      const bool is_complete = !pretrains || most >= 19;
      CHECK((ended->status == RunStatus::kComplete) == is_complete);
      CHECK(ended->ended_early.starts_with("--max-steps") == (is_complete && ended->steps < whole->steps));
      options = {};
      options.resume = true;
      const auto resumed = cut.run(job, 2, 1, options);
      REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
      CHECK(resumed->weights_sha256 == whole->weights_sha256);
      CHECK(resumed->steps == whole->steps);
      CHECK(resumed->best_validation == whole->best_validation);
      CHECK(resumed->best_test == whole->best_test);
    }
  }
}

TEST_CASE("a run that is complete can be resumed, and another job cannot") {
  TestWorld world;
  const Job job = train_job(kAveraging);
  const auto first = world.run(job);
  RunOptions options;
  CHECK(world.run(job).status().code() == Code::kInvalid);
  options.resume = true;
  const auto again = world.run(job, 1, 1, options);
  REQUIRE_MESSAGE(again.is_ok(), again.status().message());
  CHECK(again->weights_sha256 == first->weights_sha256);
  CHECK(again->rounds == first->rounds);
  const Status other = world.run(train_job(kAveraging, "seed: 2"), 1, 1, options).status();
  CHECK(other.code() == Code::kInvalid);
  CHECK(other.message().find("\n  job: seed was 1, is 2\n") != std::string::npos);
}

TEST_CASE("pretraining stages begin with the network's weights and give them back") {
  TestWorld world;
  const Job job = train_job(kAveraging, "pretrain { again {} }");
  const auto summary = world.run(job);
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  REQUIRE(world.observer.stages.size() == 3);
  CHECK(world.observer.stages[0].title == "again 0");
  CHECK(world.observer.stages[0].pretraining);
  CHECK_FALSE(world.observer.stages[2].pretraining);
  CHECK(summary->weights_sha256 != digest(train_job(kAveraging)));
  CHECK(summary->weights_sha256 != digest(train_job(kAveraging, "pretrain { again { stages: 1 } }")));
  CHECK(summary->weights_sha256 == digest(job, 3, 2));
}

TEST_CASE("a run stopped while pretraining goes on to the same bits") {
  const Job job = train_job(kAveraging, "pretrain { again {} }");
  const std::string whole = digest(job);
  for (int at_stage = 0; at_stage < 3; ++at_stage) {
    TestWorld world;
    world.observer.on_round = [&](const RoundInfo& round) {
      if (round.stage == at_stage) world.stop = true;
    };
    REQUIRE(world.run(job).is_ok());
    world.stop = false;
    world.observer.on_round = nullptr;
    RunOptions options;
    options.resume = true;
    const auto resumed = world.run(job, 2, 1, options);
    REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
    CHECK(resumed->weights_sha256 == whole);
  }
}

TEST_CASE("bad records are counted and replaced alike on all ranks") {
  const Job job = train_job(kAveraging, "source { points { bad: [3, 40] } }");
  TestWorld world;
  const auto summary = world.run(job);
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  CHECK(summary->skipped_records >= 2);
  REQUIRE(world.observer.messages.size() == 1);  // why, once, however many there are
  CHECK(world.observer.messages[0].find("record ") != std::string::npos);
  CHECK(digest(job, 3, 2) == summary->weights_sha256);
}

TEST_CASE("what is not finite stops the job by shard, step and place") {
  for (int ranks : {1, 3}) {
    TestWorld world;
    const auto failed = world.run(train_job(kAveraging, "source { points { spoilt: 40 } }"), ranks);
    REQUIRE_FALSE(failed.is_ok());
    const std::string message = failed.status().message();
    CAPTURE(message);
    CHECK(message.find("shard ") != std::string::npos);
    CHECK(message.find("step ") != std::string::npos);
    CHECK(message.find("sample part \"x\"") != std::string::npos);
    CHECK_FALSE(world.files.exists("run/summary.json"));
  }
  TestWorld world;
  const auto failed = world.run(train_job(kAveraging, "optimizer { roll { rate: 1e30 } }"));
  REQUIRE_FALSE(failed.is_ok());
  CAPTURE(failed.status().message());
  CHECK(failed.status().message().find("shard 0, step 1: ") != std::string::npos);
  CHECK(failed.status().message().find("parameter a.weight") != std::string::npos);
}

TEST_CASE(
    "whichever change of the file system fails, the run ends with an error and can be resumed or begun "
    "anew") {
  const Job job = train_job(kAveraging);
  TestWorld counting;
  REQUIRE(counting.run(job).is_ok());
  const uint64_t changes = counting.files.changes();
  const std::string whole = weights_sha256(counting.weights());
  CHECK(changes > 10);
  for (uint64_t k = 1; k <= changes; ++k) {
    TestWorld world;
    world.files.fail_change(k);
    const auto failed = world.run(job, 2);
    CAPTURE(k);
    CHECK_FALSE(failed.is_ok());
    world.files.fail_change(0);
    RunOptions options;
    options.resume = true;
    auto resumed = world.run(job, 1, 1, options);
    if (!resumed) {
      options.resume = false;  // nothing to resume: the same folder can be begun anew
      resumed = world.run(job, 1, 1, options);
    }
    REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
    CHECK(resumed->weights_sha256 == whole);
  }
}

TEST_CASE("evaluating a run's weights gives what the run said, on any number of ranks") {
  TestWorld world;
  const Job job = train_job(kAveraging);
  const auto summary = world.run(job);
  REQUIRE(summary.is_ok());
  EvaluateOptions options;
  options.run_dir = "run";
  auto alone = single();
  const auto test = evaluate_run(train_registry(), job, options, *alone, world.clock, world.files);
  REQUIRE_MESSAGE(test.is_ok(), test.status().message());
  CHECK(test->values == summary->test);
  CHECK(test->records == 21);
  options.on = "validation";
  options.weights = "best";
  const auto validation = evaluate_run(train_registry(), job, options, *alone, world.clock, world.files);
  REQUIRE(validation.is_ok());
  CHECK(validation->values == summary->best_validation);
}

TEST_CASE("rows come in the order of the records, for any number of ranks and threads") {
  Job job = train_job(kAveraging, "metric { input: \"b\" target: \"label\" ordered {} }");
  job.evaluate.monitor = "ordered.last";
  NamedValues first;
  for (int ranks = 1; ranks <= 4; ++ranks) {
    for (int threads = 1; threads <= 2; ++threads) {
      TestWorld world;
      const auto summary = world.run(job, ranks, threads);
      REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
      if (first.empty()) first = summary->test;
      CHECK(summary->test == first);
      CHECK(summary->best_validation.size() == 5);
      EvaluateOptions options;
      options.run_dir = "run";
      auto alone = single();
      const auto test = evaluate_run(train_registry(), job, options, *alone, world.clock, world.files);
      REQUIRE_MESSAGE(test.is_ok(), test.status().message());
      CHECK(test->values == first);
    }
  }
  REQUIRE(first.size() == 5);
  const std::vector<std::string> names = {"error", "ordered", "ordered.last", "ordered.class_0", "loss"};
  for (size_t i = 0; i < names.size(); ++i) CHECK(first[i].first == names[i]);
  CHECK(first[3].second == 21);
  const auto check = check_job(train_registry(), job, 1);
  REQUIRE_MESSAGE(check.is_ok(), check.status().message());
  REQUIRE(check->reported.size() == 5);
  for (size_t i = 0; i < names.size(); ++i) CHECK(check->reported[i].name == names[i]);
  CHECK(check->monitor == "ordered.last");
  CHECK(check->row_bytes == job.evaluate.memory_bytes);
}

TEST_CASE(
    "a monitor that a metric does not name after all is refused at its place, before anything is written") {
  Job job = train_job(kAveraging, "metric { input: \"b\" target: \"label\" ordered {} }");
  job.evaluate.monitor = "ordered.lost";
  job.evaluate.monitor_where = {"toy", 11, 21};
  TestWorld world;
  const auto refused = world.run(job, 2);
  CAPTURE(refused.status().message());
  CHECK(refused.status().message().find("toy:11:21") != std::string::npos);
  CHECK(refused.status().message().find("did you mean \"ordered.last\"?") != std::string::npos);
  CHECK(world.files.changes() == 0);
}

TEST_CASE("rows beyond the evaluation's memory are refused in words, on any number of ranks") {
  Job job = train_job(kAveraging,
                      "metric { name: \"wide\" input: \"b\" target: \"label\" ordered { width: 65536 } }");
  job.evaluate.memory_bytes = 6 << 20;  // 21 records have 10.5 MiB; a rank of 3 has less than 6
  for (const int ranks : {1, 3}) {
    TestWorld world;
    const auto refused = world.run(job, ranks);
    CAPTURE(refused.status().message());
    REQUIRE_FALSE(refused.is_ok());
    CHECK(refused.status().message().find("metric \"wide\" (toy:") != std::string::npos);
    CHECK(refused.status().message().find("more than the 6291456 bytes") != std::string::npos);
  }
  job.evaluate.memory_bytes = 12 << 20;
  TestWorld world;
  CHECK(world.run(job, 3).is_ok());
}

// A run's folder with `change` made to one of its files, and what evaluate and predict say of it.
void check_damage(const std::string& file, const std::function<void(std::string&)>& change,
                  const std::string& which, const std::string& words) {
  TestWorld world;
  const Job job = train_job(kAveraging);
  REQUIRE(world.run(job).is_ok());
  std::string bytes = *world.files.read("run/" + file);
  change(bytes);
  REQUIRE(world.files.write_atomically("run/" + file, bytes).is_ok());
  given_rows() = {{1, 0, 0}};
  EvaluateOptions evaluate;
  evaluate.run_dir = "run";
  evaluate.weights = which;
  auto alone = single();
  PredictOptions predict;
  predict.run_dir = "run";
  predict.weights = which;
  predict.in = "in.given";
  predict.out = "out.csv";
  const Status status[] = {
      evaluate_run(train_registry(), job, evaluate, *alone, world.clock, world.files).status(),
      predict_run(train_registry(), job, predict, *single(), world.files).status()};
  for (const Status& refused : status) {
    INFO(refused.message());
    CHECK_FALSE(refused.is_ok());
    CHECK(refused.message().find(words) != std::string::npos);
  }
  CHECK_FALSE(world.files.exists("out.csv"));
}

TEST_CASE("weights that are not those of the run's summary are refused, the last and the best") {
  const auto flip = [](std::string& bytes) { bytes.back() ^= 1; };
  check_damage("weights.safetensors", flip, "last", "the run's summary.json says");
  check_damage("checkpoints/best.safetensors", flip, "best", "the run's summary.json says");
  check_damage(
      "summary.json", [](std::string& text) { text = text.substr(0, text.size() / 2); }, "last",
      "summary.json: damaged, it does not say weights_sha256");
}

TEST_CASE("a run stopped after a validation says which weights are the best") {
  TestWorld world;
  world.observer.on_round = [&](const RoundInfo&) { world.stop = !world.observer.evaluations.empty(); };
  const auto stopped = world.run(train_job(kGradients), 2);
  REQUIRE_MESSAGE(stopped.is_ok(), stopped.status().message());
  CHECK(stopped->status == RunStatus::kStopped);
  CHECK(stopped->best_weights_sha256 == weights_sha256(world.weights("best")));
}

TEST_CASE("weights that are no numbers are refused by the name of their tensor") {
  const auto spoil = [](std::string& bytes) {
    bytes.replace(bytes.size() - 4, 4, std::string("\0\0\xc0\x7f", 4));
  };
  check_damage("weights.safetensors", spoil, "run/weights.safetensors", " is NaN, wanted finite numbers");
}

TEST_CASE("a damaged input.json is refused in words") {
  const auto change = [](std::string& text) { text[text.find("\"x\"") + 1] = 'y'; };
  check_damage("input.json", change, "last", "run/input.json: damaged, its content does not fit its sha256");
}

TEST_CASE("a run predicts without the data that it was trained on") {
  TestWorld world;
  const Job job = train_job(kAveraging);
  REQUIRE(world.run(job).is_ok());
  given_rows() = {{1, 0, 0}, {0.5f, 1, 0}};
  PredictOptions options;
  options.run_dir = "run";
  options.in = "in.given";
  options.out = "out.csv";
  REQUIRE(predict_run(train_registry(), job, options, *single(), world.files).is_ok());
  const std::string wanted = *world.files.read("out.csv");
  Job elsewhere = train_job(kAveraging, "source { points { gone: true } }");
  elsewhere.test = elsewhere.validation = elsewhere.source;
  options.out = "again.csv";
  const auto done = predict_run(train_registry(), elsewhere, options, *single(), world.files);
  REQUIRE_MESSAGE(done.is_ok(), done.status().message());
  CHECK(*world.files.read("again.csv") == wanted);
}

TEST_CASE("predictions for given inputs are the network's, record by record") {
  TestWorld world;
  const Job job = train_job(kAveraging);
  REQUIRE(world.run(job).is_ok());
  given_rows() = {{1, 0, 0}, {0, 1, 0}, {1, 1, 0}};
  PredictOptions options;
  options.run_dir = "run";
  options.in = "in.given";
  options.out = "out.csv";
  const auto done = predict_run(train_registry(), job, options, *single(), world.files);
  REQUIRE_MESSAGE(done.is_ok(), done.status().message());
  CHECK(done->samples == 3);
  const std::string text = *world.files.read("out.csv");
  CHECK(text.starts_with("index,prediction,s0\n0,0,"));
  given_rows() = {{1, 0}};
  CHECK(predict_run(train_registry(), job, options, *single(), world.files).status().message() ==
        "in.given: records are x [2] f32, wanted x [3] f32");
  options.heading = Heading::kYes;
  CHECK(predict_run(train_registry(), job, options, *single(), world.files).status().code() == Code::kUsage);
  options.heading = {};
  options.in = "in.csv";
  CHECK(predict_run(train_registry(), job, options, *single(), world.files)
            .status()
            .message()
            .find("in.csv: wanted a name that ends in one of .given, ") == 0);
}

TEST_CASE("predictions of a bad record are those of no other: it is an error") {
  TestWorld world;
  const Job job = train_job(kAveraging);
  REQUIRE(world.run(job).is_ok());
  given_rows() = {{1, 0, 0}, {0, NAN, 0}, {1, 1, 0}};
  PredictOptions options;
  options.run_dir = "run";
  options.in = "in.given";
  options.out = "out.csv";
  const auto done = predict_run(train_registry(), job, options, *single(), world.files);
  CHECK(done.status().code() == Code::kCorrupt);
  CHECK_MESSAGE(done.status().message().find("in.given: record 1 is not finite") != std::string::npos,
                done.status().message());
  CHECK_FALSE(world.files.exists("out.csv"));
}

TEST_CASE("training can begin with weights from a file") {
  TestWorld first, second;
  const Job job = train_job(kAveraging);
  REQUIRE(first.run(job).is_ok());
  REQUIRE(second.files.write_atomically("w", to_safetensors(first.weights())).is_ok());
  RunOptions options;
  options.weights_file = "w";
  REQUIRE(second.run(job, 2, 1, options).is_ok());
  CHECK(second.observer.rounds.front().loss < first.observer.rounds.front().loss);
  TestWorld third;
  REQUIRE(third.files.write_atomically("w", to_safetensors({{"z", {1}, {1}}})).is_ok());
  CHECK(third.run(job, 1, 1, options).status().code() == Code::kInvalid);
}

TEST_CASE("what was taken of a weights file is told and kept, also by a run that was resumed") {
  TestWorld first, second;
  const Job job = train_job(kAveraging);
  REQUIRE(first.run(job).is_ok());
  NamedTensors tensors = first.weights();
  tensors.back().name = "other";
  REQUIRE(second.files.write_atomically("w", to_safetensors(tensors)).is_ok());
  RunOptions options;
  options.weights_file = "w";
  options.max_steps = 6;
  REQUIRE(second.run(job, 2, 1, options).is_ok());
  CHECK(second.observer.messages.at(0).find("not taken: ") != std::string::npos);
  RunOptions resumed;
  resumed.resume = true;
  const auto done = second.run(job, 1, 1, resumed);
  REQUIRE_MESSAGE(done.is_ok(), done.status().message());
  const std::string summary = *second.files.read("run/summary.json");
  CHECK(summary.find("\"passed_over\"") != std::string::npos);
  CHECK(summary.find("other (F32 ") != std::string::npos);
}

TEST_CASE("weights of another shape are refused, and left out where that is asked for") {
  TestWorld first, second;
  const Job job = train_job(kAveraging);
  REQUIRE(first.run(job).is_ok());
  NamedTensors tensors = first.weights();
  tensors.front().shape = {static_cast<int64_t>(tensors.front().values.size())};
  REQUIRE(second.files.write_atomically("w", to_safetensors(tensors)).is_ok());
  RunOptions options;
  options.weights_file = "w";
  const Status refused = second.run(job, 1, 1, options).status();
  CHECK(refused.message().find(tensors.front().name + ": [") != std::string::npos);
  CHECK_FALSE(second.files.exists("run/summary.json"));
  options.weights_partial = true;
  CHECK(second.run(job, 1, 1, options).is_ok());
}

TEST_CASE("a few batches can be learnt by heart") {
  TestWorld world;
  RunOptions options;
  options.overfit_batches = 1;
  options.max_steps = 30;
  REQUIRE(world.run(train_job("shards: 2 local_steps: 3 batch: 4 epochs: 50"), 1, 1, options).is_ok());
  CHECK(world.observer.rounds.size() == 10);
  CHECK(world.observer.rounds.back().loss < world.observer.rounds.front().loss);
}

}  // namespace
}  // namespace plait::inline train
