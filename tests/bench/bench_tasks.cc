// What a task costs that computes nothing: scheduled, run, combined and its pass reduced, in the process, by
// the flow graph that all stages run in.
// usage: bench_tasks [tasks] [turns]
// Prints for 1 and 2 slots, in turns, the microseconds a task of each turn and their median.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cluster/local_transport.h"
#include "mapreduce/stage_graph.h"

namespace plait {
namespace {

class Nothing final : public StageWork {
 public:
  Nothing(int64_t tasks, int slots, Transport& transport, StoppableWork& work)
      : tasks_(tasks),
        slots_(slots),
        scheduler_(transport.rank(), transport.size(), &work.cancelled()),
        results_(static_cast<size_t>(slots)),
        graph_(*this, {}, slots, scheduler_, work) {}
  Status run() { return graph_.run(); }
  int64_t combined() const {
    int64_t sum = 0;
    for (const Done& done : results_) sum += done.combined;
    return sum;
  }

 private:
  struct alignas(64) Done : MapResult {
    int64_t combined = 0;
  };
  Result<Pass> begin(int64_t) override { return Pass{{0, tasks_}, slots_}; }
  Result<const MapResult*> map(int slot, int64_t task) override {
    Done& done = results_[static_cast<size_t>(slot)];
    done.task = task;
    return &done;
  }
  Status combine(int slot, const MapResult&) override {
    ++results_[static_cast<size_t>(slot)].combined;
    return {};
  }
  Result<const PassResult*> reduce() override { return &result_; }
  bool is_finished() override { return true; }

  int64_t tasks_;
  int slots_;
  Scheduler scheduler_;
  std::vector<Done> results_;
  PassResult result_;
  StageGraph graph_;
};

// Of one pass. Units: microseconds a task
Result<double> measure(int64_t tasks, int slots) {
  const auto world = single();
  StoppableWork work(*world);
  Nothing stage(tasks, slots, *world, work);
  const auto begin = std::chrono::steady_clock::now();
  PLAIT_TRY(stage.run());
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
  if (stage.combined() != tasks) return Status(Code::kPlugin, "tasks were lost");
  return took.count() / static_cast<double>(tasks);
}

Status measure_all(int64_t tasks, int turns) {
  std::vector<double> times[2];
  for (int turn = 0; turn < turns; ++turn) {
    for (int slots = 1; slots <= 2; ++slots) {
      PLAIT_ASSIGN(const double took, measure(tasks, slots));
      times[slots - 1].push_back(took);
    }
  }
  for (int slots = 1; slots <= 2; ++slots) {
    std::vector<double>& all = times[slots - 1];
    std::printf("%d slot%s:", slots, slots == 1 ? " " : "s");
    for (const double one : all) std::printf(" %.3f", one);
    std::sort(all.begin(), all.end());
    std::printf("  median %.3f us a task of %lld\n", all[all.size() / 2], static_cast<long long>(tasks));
  }
  return {};
}

}  // namespace
}  // namespace plait

int main(int argc, char** argv) {
  const int64_t tasks = argc > 1 ? std::atoll(argv[1]) : 100'000;
  const int turns = argc > 2 ? std::atoi(argv[2]) : 5;
  if (tasks < 1 || turns < 1) {
    std::fprintf(stderr, "usage: bench_tasks [tasks] [turns], both from 1 on\n");
    return 2;
  }
  const plait::Status status = plait::measure_all(tasks, turns);
  if (!status) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status ? 0 : 1;
}
