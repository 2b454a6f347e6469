#include "train/stage_chain.h"

#include <algorithm>
#include <cstring>

#include "base/sha256.h"
#include "pipeline/stage_order.h"
#include "train/network_records.h"
#include "train/network_stage.h"
#include "train/ranks.h"
#include "train/stage_record.h"

namespace plait::inline train {
namespace {

std::string place_of(const StageSpec& stage) { return "stage[" + stage.name + "]"; }

// Of all that decides a stage's output: program, plugins, machine, what the job and the data say of it, and
// the outputs of the stages that it uses.
std::string made_from(const StageSpec& stage, const Identity& identity,
                      const std::vector<std::string>& used_sha256, bool needs_all) {
  const std::string place = place_of(stage);
  std::string text;
  for (const Fact& fact : identity) {
    // What the network makes depends on all of the job but the text of other stages: what they made is in the
    // digests of those that are used.
    const bool is_of_job = !needs_all && !stage.network &&
                           (fact.part == part::kJob || fact.part == part::kLength ||
                            fact.part == part::kData || fact.part == part::kWholeData);
    if (is_of_job && fact.name != "seed" && !fact.name.starts_with(place)) continue;
    if (stage.network && fact.name.starts_with("stage[") && !fact.name.starts_with(place)) continue;
    text += std::string(fact.part) + "\n" + fact.name + "\n" + fact.value + "\n";
  }
  for (const std::string& sha256 : used_sha256) text += "uses " + sha256 + "\n";
  return Sha256::hex_of(text);
}

// Rank 0 is told of each pass but the last, which ends the stage.
std::function<void(int64_t, int64_t)> teller(const StageChain::Surroundings& around,
                                             const std::string& name) {
  auto begin = std::make_shared<Clock::Nanoseconds>(around.clock.now());
  return [&around, name, begin](int64_t pass, int64_t records) {
    const Clock::Nanoseconds now = around.clock.now();
    around.observer.task_pass_finished({name, pass, records, seconds_of(now - *begin)});
    *begin = now;
  };
}

}  // namespace

NamedValues values_of(const StageArrays& measured) {
  NamedValues values;
  for (const StageArrays::Array& array : measured.arrays()) {
    double value = 0;
    std::memcpy(&value, array.bytes.data(), sizeof value);
    values.emplace_back(array.spec.name, value);
  }
  return values;
}

Result<std::unique_ptr<StageChain>> StageChain::open(const Registry& registry, const Job& job, When when,
                                                     const std::atomic<bool>* cancelled,
                                                     NetworkRecords* network) {
  std::unique_ptr<StageChain> chain(new StageChain(registry, job, network));
  for (const StageSpec& spec : job.stages) {
    if (spec.is_after_training != (when == When::kAfterTraining)) continue;
    if (spec.network) PLAIT_TRY(network->declare(spec));
    PLAIT_ASSIGN(auto stage, chain->open_one(spec, cancelled));
    chain->stages_.push_back(std::move(stage));
  }
  return chain;
}

Result<std::unique_ptr<ChainStage>> StageChain::open_one(const StageSpec& spec,
                                                         const std::atomic<bool>* cancelled) const {
  if (spec.is_task()) return TaskStage::open(registry_, spec, job_.seed, cancelled);
  return NetworkStage::open(registry_, spec, network_->records(spec), job_.evaluate.batch);
}

std::vector<PlacedReader> StageChain::readers() const {
  std::vector<PlacedReader> readers;
  for (const auto& stage : stages_)
    if (stage->reader() != nullptr) readers.push_back({place_of(stage->spec()) + ".source", stage->reader()});
  return readers;
}

Status StageChain::run(const Surroundings& around, std::vector<TaskStageInfo>& told) {
  for (auto& stage : stages_) PLAIT_TRY(run_one(stage, around, told));
  return {};
}

// What the stages that `spec` uses wrote; they ran before it.
std::vector<std::string> StageChain::sha256_of_used(const StageSpec& spec,
                                                    const std::vector<TaskStageInfo>& told) const {
  std::vector<std::string> all;
  std::vector<const StageArrays*> used = spec.used_stages();
  if (spec.network)  // by way of what prepares the network's records, too
    for (const StageArrays* one : arrays_for_training(job_)) used.push_back(one);
  for (const StageSpec& stage : job_.stages) {
    if (std::ranges::find(used, stage.arrays.get()) == used.end()) continue;
    const auto info = std::ranges::find(told, stage.name, &TaskStageInfo::name);
    if (info != told.end()) all.push_back(info->sha256);
  }
  return all;
}

// A stage that was opened before those that it uses had run could only be checked.
Status StageChain::open_waiting(std::unique_ptr<ChainStage>& stage, const Surroundings& around) {
  if (!stage->is_waiting()) return {};
  return around.work.run([this, &stage, cancelled = &around.work.cancelled()]() -> Status {
    PLAIT_ASSIGN(stage, open_one(stage->spec(), cancelled));
    return {};
  });
}

Status StageChain::run_one(std::unique_ptr<ChainStage>& stage, const Surroundings& around,
                           std::vector<TaskStageInfo>& told) {
  Transport& transport = around.transport;
  const StageSpec& spec = stage->spec();
  std::vector<std::string> used = sha256_of_used(spec, told);
  if (spec.network) used.push_back(around.network_sha256(spec));
  const std::string from = made_from(spec, around.identity, used, around.is_of_pretraining);
  TaskStageInfo info;
  info.name = spec.name;
  info.task = spec.does();
  info.is_task = spec.is_task();
  info.is_keyed = spec.is_keyed();
  info.output = spec.output;
  const auto begin = around.clock.now();
  int32_t is_kept =
      around.resume && transport.is_root() && read_stage_record(around.files, around.run_dir, from, info);
  PLAIT_TRY(transport.all_reduce_max(std::span<int32_t>(&is_kept, 1)));
  if (is_kept == 0) {
    int64_t shuffled = 0;
    if (spec.network) {
      PLAIT_ASSIGN(shuffled, around.make_network_records(spec));
    }
    PLAIT_TRY(open_waiting(stage, around));
    PLAIT_TRY(run_stage(*stage, around, info));
    info.bytes_shuffled += shuffled;
    if (around.check_data) PLAIT_TRY(around.check_data());
    if (transport.is_root()) PLAIT_TRY(write_stage_record(around.files, around.run_dir, from, info));
  }
  PLAIT_ASSIGN(info.sha256, share_text(transport, info.sha256));
  if (spec.is_used) PLAIT_TRY(share_stage_arrays(around.files, around.run_dir, spec, transport));
  info.seconds = seconds_of(around.clock.now() - begin);
  PLAIT_ASSIGN(const std::string bad,
               first_text(transport, stage->first_bad() ? "" : stage->first_bad().message()));
  if (transport.is_root()) {
    if (!bad.empty()) around.observer.warning("bad records are left out; the first: " + bad);
    around.observer.task_stage_finished(info);
  }
  told.push_back(info);
  return {};
}

Status StageChain::run_stage(ChainStage& stage, const Surroundings& around, TaskStageInfo& info) {
  if (around.transport.is_root()) around.observer.task_stage_begun(info.name, stage.tasks(), stage.records());
  const ChainStage::Around on{around.transport, around.work,
                              around.files,     around.run_dir + "/" + info.output,
                              around.threads,   teller(around, info.name)};
  PLAIT_ASSIGN(const ChainStage::Outcome outcome, stage.run(on));
  for (size_t i = 0; around.transport.is_root() && i < stage.fits().size(); ++i)
    around.observer.fitted(stage.fits()[i]);
  info.tasks = stage.tasks();
  info.records = outcome.records;
  info.skipped_records = outcome.skipped_records;
  info.passes = outcome.passes;
  info.pairs = outcome.pairs;
  info.results = outcome.results;
  info.value = outcome.value;
  info.bytes_shuffled = outcome.bytes_shuffled;
  info.bytes_spilled = outcome.bytes_spilled;
  info.bytes_held = outcome.bytes_held;
  info.tasks_by_rank = outcome.tasks_by_rank;
  info.sha256 = outcome.sha256;
  if (stage.spec().verb == Verb::kEvaluate) info.values = values_of(*stage.spec().from_network);
  return {};
}

}  // namespace plait::inline train
