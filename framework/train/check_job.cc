#include "train/check_job.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "cluster/local_transport.h"
#include "pipeline/stage_source.h"
#include "train/network_records.h"
#include "train/pretrain_task.h"
#include "train/ranks.h"
#include "train/stage.h"
#include "train/stage_chain.h"

namespace plait::inline train {
namespace {

// Of this process, in memory now. Units: bytes; 0 where it cannot be read
uint64_t resident_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  unsigned long long whole = 0, resident = 0;
  const bool read = file != nullptr && std::fscanf(file, "%llu %llu", &whole, &resident) == 2;
  if (file != nullptr) std::fclose(file);
  return read ? resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

std::vector<std::string> changed_parts(const JobData& data) {
  std::vector<std::string> texts;
  for (const PartSpec& part : data.training().parts()) {
    const PartSpec* const measured = find_part(data.measured_parts(), part.name);
    if (measured != nullptr && *measured == part) continue;
    texts.push_back(part_text(part) + " in training alone" +
                    (measured != nullptr ? ", measured as " + part_text(*measured) : ""));
  }
  return texts;
}

class JobChecker {
 public:
  JobChecker(const Registry& registry, const Job& job) : registry_(registry), job_(job) {}

  Result<JobCheck> run(int threads) {
    PLAIT_ASSIGN(device_, Device::open(registry_, *job_.device.entry, *job_.device.config));
    PLAIT_ASSIGN(const int fair, fair_threads(*world_));
    check_.threads = threads > 0 ? threads : fair;
    context_.emplace(RunContext{registry_, options_, *world_, clock_, observer_, work_, *device_});
    context_->threads = check_.threads;
    PLAIT_ASSIGN(const auto before, StageChain::open(registry_, job_, StageChain::When::kBeforeTraining));
    PLAIT_TRY(tell(*before));
    if (job_.is_stages_only()) return finish();
    const auto main = std::make_unique<Stage>(*context_, job_, 0, false);
    PLAIT_TRY(main->open());
    if (!waits_for_records(job_)) PLAIT_TRY(main->fit(nullptr, fits_));
    check_.network = main->network();
    check_.memory = main->memory(check_.threads, 1);
    count_records(main->data());
    check_.changed_parts = changed_parts(main->data());
    check_.reported = main->reported();
    check_.monitor = main->monitor();
    check_.costs = step_costs(main->plan());
    if (const Plan* const evaluation = main->evaluation_plan())
      for (StepCost& cost : step_costs(*evaluation)) check_.costs.push_back(std::move(cost));
    if (keeps_rows(registry_, main->network())) check_.row_bytes = job_.evaluate.memory_bytes;
    NetworkRecords network(registry_, job_, main->data(), main->reported());
    PLAIT_ASSIGN(const auto after,
                 StageChain::open(registry_, job_, StageChain::When::kAfterTraining, nullptr, &network));
    PLAIT_TRY(tell(*after));
    PLAIT_TRY(pretraining(*main));
    return finish();
  }

 private:
  void count_records(const JobData& data) {
    const bool is_known = !waits_for_records(job_.source);
    const auto count = [&](const PluginSpec& source, bool is_there, int64_t records) {
      return is_there && (source ? waits_for_records(source) : !is_known) ? -1 : records;
    };
    check_.training_records = count(job_.source, true, data.training_records());
    check_.validation_records =
        count(job_.validation, data.validation().records() > 0, data.validation().records());
    check_.test_records = count(job_.test, static_cast<bool>(job_.test), data.test().records());
  }

  JobCheck finish() {
    check_.memory.process = resident_bytes();
    for (const TaskStageCheck& stage : check_.task_stages)
      check_.memory.stages = std::max(check_.memory.stages, stage.memory.total());
    return std::move(check_);
  }

  Status tell(const StageChain& chain) {
    for (const auto& stage : chain.stages()) {
      if (!stage->is_waiting()) PLAIT_TRY(stage->fit(*world_, work_, check_.threads));
      check_.task_stages.push_back({stage->spec().name, stage->flow(), stage->spec().output, stage->records(),
                                    stage->tasks(), stage->spec().memory_bytes, stage->spec().is_keyed(),
                                    stage->spec().is_task(), stage->memory(check_.threads)});
    }
    return {};
  }

  Status pretraining(const Stage& main) {
    if (job_.pretrain.empty()) return {};
    const auto steps = std::max<int64_t>(1, static_cast<int64_t>(main.steps_per_epoch()));
    PLAIT_ASSIGN(const auto sources, PretrainSources::open(registry_, job_));
    PLAIT_ASSIGN(auto stages, Pretraining::create(registry_, job_, main.network(), *sources, steps));
    // The job's own weights and slots are there meanwhile, and its weights once more by name.
    const uint64_t meanwhile = 2 * check_.memory.weights + check_.memory.slots;
    for (int number = 0;; ++number) {
      PLAIT_ASSIGN(std::optional<PretrainStep> step, stages->next());
      if (!step) return {};
      if (step->is_task) {
        check_.stages.push_back(step->job.name);
        PLAIT_ASSIGN(const auto task, PretrainTask::open(registry_, std::move(*step), main));
        PLAIT_TRY(tell(task->chain()));
        continue;
      }
      const Job* const job = &step->job;
      const auto stage = std::make_unique<Stage>(*context_, *job, number, true);
      PLAIT_TRY(stage->open());
      if (!waits_for_records(*job)) PLAIT_TRY(stage->fit(nullptr, fits_));
      RunMemory use = stage->memory(check_.threads, 1);
      use.weights += meanwhile;
      if (use.total() > check_.memory.total()) check_.memory = use;
      check_.stages.push_back(job->name);
    }
  }

  const Registry& registry_;
  const Job& job_;
  const RunOptions options_{};
  const std::unique_ptr<Transport> world_ = single();
  SystemClock clock_;
  Observer observer_;
  StoppableWork work_{*world_};
  std::unique_ptr<Device> device_;
  std::optional<RunContext> context_;
  JobCheck check_;
  std::vector<FitInfo> fits_;
};

}  // namespace

Result<JobCheck> check_job(const Registry& registry, const Job& job, int threads) {
  return JobChecker(registry, job).run(threads);
}

}  // namespace plait::inline train
