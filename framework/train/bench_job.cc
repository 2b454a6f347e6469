#include "train/bench_job.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>

#include "cluster/local_transport.h"
#include "train/check_job.h"
#include "train/observer.h"
#include "train/run.h"

namespace plait::inline train {
namespace {

// Ends the run at the first whole round after the time.
class Listener : public Observer {
 public:
  Listener(double seconds, const std::atomic<bool>& stop) : seconds_(seconds), stop_(stop) {}
  void stage_begun(const StageInfo& stage) override { stage_ = stage; }
  void round_finished(const RoundInfo& round) override {
    trained_ += round.seconds;
    if (trained_ >= seconds_ || stop_.load()) ends_ = true;
  }
  void profile(const std::vector<LayerTime>& times) override { times_ = times; }
  const StageInfo& stage() const { return stage_; }
  const std::vector<LayerTime>& times() const { return times_; }
  const std::atomic<bool>& ends() const { return ends_; }

 private:
  const double seconds_;
  const std::atomic<bool>& stop_;
  double trained_ = 0;
  std::atomic<bool> ends_ = false;
  StageInfo stage_;
  std::vector<LayerTime> times_;
};

// Long enough for any time, and counted in numbers that fit.
Job without_ends(const Job& job) {
  Job benched = job;
  benched.pretrain.clear();
  benched.test = {};
  benched.train.steps = int64_t{1} << 32;
  benched.train.max_seconds = 0;
  benched.train.checkpoint_every = 1 << 20;
  std::erase_if(benched.stages, [](const StageSpec& stage) { return stage.is_after_training; });
  return benched;
}

// Per step of a shard: a run that was stopped has calls of a round that does not count.
void add_shares(const Summary& summary, BenchResult& result) {
  double calls = 0, onednn = 0;
  for (const BenchedStep& step : result.steps) {
    calls += step.seconds;
    if (step.is_onednn) onednn += step.seconds;
  }
  const double steps = static_cast<double>(summary.samples) / result.batch,
               train_seconds = static_cast<double>(summary.samples) / summary.train_samples_per_second;
  result.outside_share = std::max(0.0, 1 - calls * steps / (train_seconds * result.workers));
  result.onednn_share = calls > 0 ? onednn / calls : 0;
}

}  // namespace

uint64_t peak_bytes() {
  rusage use{};
  return ::getrusage(RUSAGE_SELF, &use) == 0 ? static_cast<uint64_t>(use.ru_maxrss) * 1024 : 0;
}

BenchedStep benched_step(const std::string& layer, const std::string& phase, int64_t calls, double seconds,
                         const std::vector<StepCost>& costs) {
  BenchedStep step;
  step.layer = layer;
  step.phase = phase;
  step.seconds = seconds / static_cast<double>(std::max<int64_t>(1, calls));
  const auto cost = std::ranges::find_if(
      costs, [&](const StepCost& one) { return one.layer == layer && one.phase == phase; });
  if (cost != costs.end()) step.cost = *cost;
  step.is_onednn = step.cost.is_onednn();
  return step;
}

Result<BenchResult> bench_job(const Registry& registry, const Job& job, const BenchOptions& options,
                              const std::atomic<bool>& stop) {
  if (job.is_stages_only())
    return {Code::kInvalid, job.name + ": the job trains no network, and there are no steps to measure"};
  const Job benched_job = without_ends(job);
  PLAIT_ASSIGN(const JobCheck check, check_job(registry, benched_job, options.threads));

  RunOptions run;
  run.run_dir = options.scratch_folder;
  run.threads = options.threads;
  run.program = options.program;
  run.profile = true;
  const auto world = single();
  SystemClock clock;
  SystemFiles files;
  Listener listener(options.seconds, stop);
  PLAIT_ASSIGN(const Summary summary,
               run_job(registry, benched_job, run, *world, clock, files, listener, listener.ends()));
  if (stop.load() || summary.samples == 0) return {Code::kStopped, "stopped before anything was measured"};

  BenchResult result;
  for (const LayerTime& time : listener.times())
    result.steps.push_back(benched_step(time.layer, time.phase, time.calls, time.seconds, check.costs));
  const TrainSpec& train = benched_job.train;
  result.shards = train.shards, result.batch = train.batch, result.local_steps = train.local_steps;
  result.lanes = train.lanes, result.threads = check.threads;
  result.workers = std::max(1, listener.stage().replicas);
  result.samples = summary.samples;
  result.samples_per_second = summary.train_samples_per_second;
  add_shares(summary, result);
  result.peak_bytes = peak_bytes();
  result.machine = measure_machine(check.threads);
  return result;
}

}  // namespace plait::inline train
