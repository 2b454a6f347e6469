#include "mapreduce/stage_graph.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "cluster/local_transport.h"

namespace plait::inline mapreduce {
namespace {

// Sums the numbers of its tasks, in `passes` passes; each task takes task % 3 + 1 steps.
class Summing final : public StageWork {
 public:
  struct Setup {
    int64_t tasks = 10;
    int slots = 2;
    int64_t passes = 3;
    int64_t failing = -1;     // task whose map fails
    int64_t uncombined = -1;  // task whose combine fails
    int64_t stopping = -1;    // task that asks the rank to stop
    int64_t caught = -1;      // task that does not come back before `released`
  };
  Summing(const Setup& setup, Transport& transport, StoppableWork& work)
      : setup_(setup),
        transport_(transport),
        scheduler_(transport.rank(), transport.size(), &work.cancelled()),
        steps_(static_cast<size_t>(setup.slots)),
        results_(static_cast<size_t>(setup.slots)),
        graph_(*this, nodes(), setup.slots, scheduler_, work) {}

  Status run() { return graph_.run(); }
  std::vector<int64_t> sums, noted;
  std::atomic<bool> stop = false, released = false;
  std::atomic<bool> overlapped = false;
  std::thread::id transport_thread = std::this_thread::get_id();

 private:
  struct Number : MapResult {
    int64_t value = 0;
    std::atomic<bool> is_busy = false;
  };
  struct Sum : PassResult {
    int64_t value = 0;
  };
  std::vector<StageNode> nodes() {
    return {{"note", [this](const PassResult& result) { return note(result); }},
            {"nothing", [](const PassResult&) { return Status(); }}};
  }
  Status note(const PassResult& result) {
    CHECK(std::this_thread::get_id() == transport_thread);
    noted.push_back(static_cast<const Sum&>(result).value);
    return {};
  }
  Result<Pass> begin(int64_t number) override {
    CHECK(std::this_thread::get_id() == transport_thread);
    pass_ = number;
    mine_ = 0;
    return Pass{{0, setup_.tasks}, setup_.slots};
  }
  Result<const MapResult*> map(int slot, int64_t task) override {
    Number& mine = results_[static_cast<size_t>(slot)];
    if (mine.is_busy.exchange(true)) overlapped = true;
    mine.is_busy = false;
    if (task == setup_.failing) return Status(Code::kPlugin, "no " + std::to_string(task));
    if (task == setup_.stopping) stop = true;
    while (task == setup_.caught && !released) std::this_thread::yield();
    if (steps_[static_cast<size_t>(slot)]++ < task % 3) return nullptr;
    steps_[static_cast<size_t>(slot)] = 0;
    mine.task = task;
    mine.value = task + pass_;
    return &mine;
  }
  Status combine(int, const MapResult& result) override {
    if (result.task == setup_.uncombined) return {Code::kNumeric, "not " + std::to_string(result.task)};
    mine_ += static_cast<const Number&>(result).value;
    return {};
  }
  Result<const PassResult*> reduce() override {
    CHECK(std::this_thread::get_id() == transport_thread);
    int64_t sum = mine_;
    PLAIT_TRY(transport_.all_reduce_sum(std::span(&sum, 1)));
    sums.push_back(sum);
    result_.value = sum;
    return &result_;
  }
  bool is_finished() override { return pass_ + 1 == setup_.passes; }

  Setup setup_;
  Transport& transport_;
  Scheduler scheduler_;
  std::vector<int64_t> steps_;
  std::vector<Number> results_;
  std::atomic<int64_t> mine_ = 0;
  int64_t pass_ = 0;
  Sum result_;
  StageGraph graph_;
};

struct Ended {
  Status status;
  std::vector<int64_t> sums;
  bool is_caught = false;
};

// On every rank of a world of threads, in order of rank.
std::vector<Ended> run_world(int ranks, const Summing::Setup& setup) {
  auto world = make_local_world(ranks);
  std::vector<Ended> all(world.size());
  std::vector<std::thread> threads;
  for (size_t r = 0; r < world.size(); ++r) {
    threads.emplace_back([&all, &setup, r, rank = std::move(world[r])] {
      std::unique_ptr<Summing> stage;
      StoppableWork work(*rank);
      stage = std::make_unique<Summing>(setup, *rank, work);
      rank->set_stop([&stage] { return stage->stop.load(); });
      Ended& ended = all[r];
      ended.status = stage->run();
      if (!ended.status && ended.status.code() != Code::kStopped) rank->abort(ended.status);
      ended.is_caught = work.is_caught();
      ended.sums = stage->sums;
      CHECK_FALSE(stage->overlapped);
      if (ended.status) CHECK(stage->noted == stage->sums);
      stage->released = true;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return all;
}

TEST_CASE("a stage gives the same on any number of ranks and slots, pass after pass") {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    for (int slots = 1; slots <= 3; ++slots) {
      for (int64_t tasks : {0, 1, 2, 7, 100}) {
        CAPTURE(ranks);
        CAPTURE(slots);
        CAPTURE(tasks);
        for (const Ended& ended : run_world(ranks, {tasks, slots, 4})) {
          CHECK(ended.status);
          const int64_t sum = tasks * (tasks - 1) / 2;
          CHECK(ended.sums == std::vector<int64_t>{sum, sum + tasks, sum + 2 * tasks, sum + 3 * tasks});
        }
      }
    }
  }
}

TEST_CASE("ten thousand tasks in a pass") {
  for (const Ended& ended : run_world(3, {10'000, 2, 2})) {
    CHECK(ended.status);
    CHECK(ended.sums == std::vector<int64_t>{49'995'000, 50'005'000});
  }
}

TEST_CASE("a task that fails, in its map or in its combine, ends the stage with its words") {
  for (int slots = 1; slots <= 3; ++slots) {
    Summing::Setup setup{10, slots, 3};
    setup.failing = 4;
    CHECK(run_world(1, setup).front().status.message() == "no 4");
    setup.failing = -1;
    setup.uncombined = 9;
    CHECK(run_world(1, setup).front().status.message() == "not 9");
    setup.failing = 9;
    setup.uncombined = -1;
    const auto ended = run_world(3, setup);
    CHECK(ended[0].status.message() == "no 9");  // rank 0 has task 9
    CHECK(ended[1].status.code() == Code::kPeer);
    CHECK(ended[2].status.code() == Code::kPeer);
  }
}

TEST_CASE("a rank that is asked to stop in a task stops all, wherever they are") {
  for (int ranks = 1; ranks <= 3; ++ranks) {
    for (int slots = 1; slots <= 2; ++slots) {
      CAPTURE(ranks);
      CAPTURE(slots);
      Summing::Setup setup{1000, slots, 1'000'000};
      setup.stopping = 500;
      for (const Ended& ended : run_world(ranks, setup)) {
        CHECK(ended.status.code() == Code::kStopped);
        CHECK(ended.sums.size() < 3);
        CHECK_FALSE(ended.is_caught);
      }
    }
  }
}

TEST_CASE("a task that does not come back is left, and waited for at the end") {
  Summing::Setup setup{4, 2, 2};
  setup.stopping = 1;
  setup.caught = 1;
  const auto ended = run_world(2, setup);
  CHECK(ended[0].status.code() == Code::kStopped);
  CHECK(ended[1].status.code() == Code::kStopped);
  CHECK(ended[1].is_caught);
}

}  // namespace
}  // namespace plait::inline mapreduce
