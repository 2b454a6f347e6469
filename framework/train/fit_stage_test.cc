#include "train/fit_stage.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <thread>

#include "graph/sample_chain.h"
#include "train/evaluate_run.h"
#include "train/input_record.h"
#include "train/test_job.h"

namespace plait::inline train {
namespace {

constexpr const char* kShort = "shards: 2 local_steps: 3 batch: 8 steps: 6";

Job job_of(const std::string& points, const std::string& operators) {
  return train_job(kShort, "source { points { " + points + " } } " + operators);
}

struct Fitted {
  Fits fits;
  FitInfo last;
  std::vector<Status> statuses;
};

// The operators of the job's preprocess, fitted to all records by so many ranks of so many threads.
Fitted fit(const Job& job, int ranks, int threads) {
  auto world = make_local_world(ranks);
  Fitted fitted;
  std::vector<Fits> all(static_cast<size_t>(ranks));
  fitted.statuses.resize(all.size());
  const auto run_rank = [&](size_t rank) {
    const std::unique_ptr<LocalTransport> transport = std::move(world[rank]);
    SampleReader::Options options;
    options.training = false;
    options.preprocess = &job.preprocess;
    auto reader = SampleReader::create(train_registry(), job.source, options);
    REQUIRE_MESSAGE(reader.is_ok(), reader.status().message());
    FitStages stages;
    StoppableWork work(*transport);
    const FitRecords records{(*reader)->records(), [](int64_t place) { return place; }};
    std::vector<FitInfo> told;
    const Status status =
        stages.complete(**reader, options, records, {train_registry(), *transport, work, threads}, told);
    fitted.statuses[rank] = status;
    if (!status) return transport->abort(status);
    all[rank] = (*reader)->fits();
    if (rank == 0) fitted.last = told.back();
  };
  std::vector<std::thread> peers;
  for (size_t rank = 1; rank < all.size(); ++rank) peers.emplace_back(run_rank, rank);
  run_rank(0);
  for (std::thread& peer : peers) peer.join();
  for (const Fits& fits : all) CHECK(fits == all[0]);
  fitted.fits = all[0];
  return fitted;
}

// Of the points as test_job_test.cc makes them.
std::vector<double> point(int64_t record) {
  std::vector<double> x;
  for (int i = 0; i < 3; ++i)
    x.push_back(static_cast<float>(std::sin(static_cast<double>(record) * 0.7 + 1.3 * i)));
  return x;
}

TEST_CASE("a fit is the same bits for any number of ranks and threads, operator after operator") {
  const Job job =
      job_of("count: 3001 bad: [7, 300, 3000]", "preprocess { level {} } preprocess { level {} }");
  const Fitted one = fit(job, 1, 1);
  REQUIRE(one.fits.size() == 2);
  for (int ranks = 1; ranks <= 4; ++ranks) {
    for (int threads = 1; threads <= 2; ++threads) {
      CAPTURE(ranks);
      CAPTURE(threads);
      const Fitted other = fit(job, ranks, threads);
      CHECK(other.fits == one.fits);
      CHECK(other.last.records == 2998);
      CHECK(other.last.skipped_records == 3);
      CHECK(other.last.tasks == 12);
      CHECK(other.last.tasks_by_rank.size() == static_cast<size_t>(ranks));
      int64_t tasks = 0;
      for (int64_t count : other.last.tasks_by_rank) tasks += count;
      CHECK(tasks == 12);
      CHECK((other.last.bytes_shuffled > 0) == (ranks > 1));
    }
  }
  std::vector<long double> wanted(7);
  for (int64_t record = 0; record < 3000; ++record) {
    if (record == 7 || record == 300) continue;
    const std::vector<double> x = point(record);
    wanted[0] += 1;
    for (size_t i = 0; i < 3; ++i) {
      wanted[1 + i] += 1e-3 * x[i];
      wanted[4 + i] += x[i] * x[i] / 3;
    }
  }
  for (size_t i = 0; i < 7; ++i) CHECK(one.fits[0][i] == doctest::Approx(double(wanted[i])).epsilon(1e-12));
  // The second has seen what the first made: means of 0, squares of 1.
  CHECK(one.fits[1][0] == 2998);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(std::abs(one.fits[1][1 + i]) < 1e-6);
    CHECK(one.fits[1][4 + i] == doctest::Approx(2998.0 / 3).epsilon(1e-6));
  }
}

TEST_CASE("a failing observe, and a sum that is no number, end all ranks with their place") {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    CAPTURE(ranks);
    TestWorld world;
    const auto failed =
        world.run(job_of("count: 701 spoilt: 700", "preprocess { level { strict: true } }"), ranks);
    REQUIRE_FALSE(failed.is_ok());
    CHECK_MESSAGE(failed.status().message().find("plait.level (toy:") != std::string::npos,
                  failed.status().message());
    CHECK(failed.status().message().find("record 700: x is inf") != std::string::npos);
    CHECK(world.files.changes() == 0);

    const auto spoilt = world.run(job_of("count: 701 spoilt: 700", "preprocess { level {} }"), ranks);
    REQUIRE_FALSE(spoilt.is_ok());
    if (ranks == 1) CHECK(spoilt.status().code() == Code::kNumeric);
    const std::string said = spoilt.status().message();
    CHECK_MESSAGE(said.find("fit of plait.level (toy:") != std::string::npos, said);
    CHECK_MESSAGE(
        said.find("the training records 512 to 700: element 1 of the accumulator state became inf") !=
            std::string::npos,
        said);
    CHECK(world.files.changes() == 0);
  }
}

TEST_CASE("weights after fitted operators are the same for any number of ranks and threads") {
  for (const std::string operators :
       {"preprocess { level {} } preprocess { level {} }", "augment { level {} } preprocess { level {} }"}) {
    const Job job = job_of("count: 600", operators);
    std::string wanted;
    for (int ranks = 1; ranks <= 4; ++ranks) {
      for (int threads = 1; threads <= 2; ++threads) {
        TestWorld world;
        const auto summary = world.run(job, ranks, threads);
        REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
        if (wanted.empty()) wanted = summary->weights_sha256;
        CHECK(summary->weights_sha256 == wanted);
        REQUIRE(summary->fits.size() == 2);
        CHECK(summary->fits[0].records == 600);
        CHECK_FALSE(summary->fits[0].is_kept);
        CHECK(summary->json().find("\"fits\"") != std::string::npos);
      }
    }
  }
}

TEST_CASE("records that are held out are not fitted on") {
  Job held_out = job_of("count: 600", "preprocess { level {} }");
  held_out.validation = {};
  held_out.validation_fraction = 0.25;
  TestWorld world;
  const auto summary = world.run(held_out);
  REQUIRE_MESSAGE(summary.is_ok(), summary.status().message());
  REQUIRE(summary->fits.size() == 1);
  CHECK(summary->fits[0].records == 450);
}

TEST_CASE("a fit is left when a rank is to stop, and nothing was written") {
  for (int ranks = 1; ranks <= 3; ++ranks) {
    CAPTURE(ranks);
    TestWorld world;
    std::atomic<int64_t> reads = 0;
    before_points_read() = [&] { world.stop = world.stop || ++reads > 400; };
    const Job job = job_of("count: 1000000", "preprocess { level {} }");
    const auto stopped = world.run(job, ranks);
    before_points_read() = nullptr;
    CHECK(stopped.status().code() == Code::kStopped);
    // Of several ranks a quick one may read so many while the first one is still opening the data.
    const std::string at = ranks == 1 ? "fitted to the data" : "";
    CHECK_MESSAGE(stopped.status().message().find(at + ": nothing was written") != std::string::npos,
                  stopped.status().message());
    CHECK(reads < 900000);
    CHECK(world.files.changes() == 0);
  }
}

TEST_CASE("a source that never comes back from reading does not keep a fit from stopping") {
  TestWorld world;
  std::atomic<bool> released = false;
  std::atomic<int> reads = 0, left = 0;
  before_points_read() = [&] {
    if (++reads == 130) world.stop = true;
    while (reads >= 130 && !released) std::this_thread::yield();
  };
  RunOptions options;
  options.leave = [&](const Status&) { ++left, released = true; };
  const auto stopped = world.run(job_of("count: 600", "preprocess { level {} }"), 2, 1, options);
  before_points_read() = nullptr;
  CHECK(stopped.status().code() == Code::kStopped);
  CHECK(left > 0);
}

TEST_CASE("a resumed run takes the fits of its folder, unless what they are made from has changed") {
  const Job job = job_of("count: 600", "augment { level {} } preprocess { level {} }");
  TestWorld world;
  RunOptions options;
  options.max_steps = 3;
  const auto begun = world.run(job, 1, 1, options);
  REQUIRE_MESSAGE(begun.is_ok(), begun.status().message());
  CHECK(begun->status == RunStatus::kComplete);
  const std::string kept = world.files.read(input_path("run")).value();

  options = {};
  options.resume = true;
  std::atomic<int64_t> reads = 0;
  before_points_read() = [&] { ++reads; };
  const auto resumed = world.run(job, 2, 1, options);
  before_points_read() = nullptr;
  REQUIRE_MESSAGE(resumed.is_ok(), resumed.status().message());
  REQUIRE(resumed->fits.size() == 2);
  CHECK_FALSE(resumed->fits[0].is_kept);  // of augment, which the folder does not hold
  CHECK(resumed->fits[1].is_kept);
  CHECK(world.files.read(input_path("run")).value() == kept);
  TestWorld whole;
  CHECK(resumed->weights_sha256 == whole.run(job)->weights_sha256);

  points_edition = 1;
  options.accept_change = {"data"};
  const auto changed = world.run(job, 1, 1, options);
  points_edition = 0;
  REQUIRE_MESSAGE(changed.is_ok(), changed.status().message());
  REQUIRE(changed->fits.size() == 2);
  CHECK_FALSE(changed->fits[1].is_kept);
}

TEST_CASE("evaluation without what the run kept fits again, to the same values") {
  const Job job = job_of("count: 600", "preprocess { level {} }");
  TestWorld world;
  REQUIRE(world.run(job).is_ok());
  EvaluateOptions options;
  options.run_dir = "run";
  options.threads = 1;
  const auto evaluated = [&](int ranks) {
    auto transports = make_local_world(ranks);
    std::vector<NamedValues> values(static_cast<size_t>(ranks));
    std::vector<std::thread> threads;
    for (size_t rank = 0; rank < values.size(); ++rank) {
      threads.emplace_back([&, rank] {
        const auto transport = std::move(transports[rank]);
        const auto done = evaluate_run(train_registry(), job, options, *transport, world.clock, world.files);
        REQUIRE_MESSAGE(done.is_ok(), done.status().message());
        values[rank] = done->values;
      });
    }
    for (std::thread& thread : threads) thread.join();
    return values[0];
  };
  const NamedValues kept = evaluated(1);
  REQUIRE(world.files.remove(input_path("run")).is_ok());
  CHECK(evaluated(1) == kept);
  CHECK(evaluated(3) == kept);
}

}  // namespace
}  // namespace plait::inline train
