#include "train/stage_chain.h"

#include <nlohmann/json.hpp>

#include "base/json_bounds.h"
#include "base/json_text.h"
#include "base/sha256.h"
#include "train/ranks.h"

namespace plait {
namespace {

using Json = nlohmann::ordered_json;

std::string place_of(const StageSpec& stage) { return "stage[" + stage.name + "]"; }

// Of all that decides a stage's table: program, plugins, machine, and what the job and the data say of it.
std::string made_from(const StageSpec& stage, const Identity& identity) {
  const std::string place = place_of(stage);
  std::string text;
  for (const Fact& fact : identity) {
    const bool is_of_job = fact.part == part::kJob || fact.part == part::kLength ||
                           fact.part == part::kData || fact.part == part::kWholeData;
    if (is_of_job && fact.name != "seed" && !fact.name.starts_with(place)) continue;
    text += std::string(fact.part) + "\n" + fact.name + "\n" + fact.value + "\n";
  }
  return Sha256::hex_of(text);
}

// Beside a table: what it was made from, and what was told of it.
std::string record_path(const std::string& run_dir, const StageSpec& stage) {
  return run_dir + "/" + stage.output + ".stage.json";
}

std::string record_text(const std::string& from, const TaskStageInfo& info) {
  const Json object = {{"made_from", from},
                       {"sha256", info.sha256},
                       {"tasks", info.tasks},
                       {"records", info.records},
                       {"skipped_records", info.skipped_records},
                       {"passes", info.passes},
                       {"pairs", info.pairs},
                       {"results", info.results}};
  return json_text(object, 2) + "\n";
}

// Whether the table is there and was made from the same; then `info` holds what was told of it.
bool is_good(Files& files, const std::string& run_dir, const StageSpec& stage, const std::string& from,
             TaskStageInfo& info) {
  const std::string path = record_path(run_dir, stage);
  if (!files.exists(path)) return false;
  const auto text = files.read(path, 1 << 16);
  if (!text || !check_json_bounds(*text, kSmallJson)) return false;
  const Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object() || !json.contains("sha256") || !json["sha256"].is_string()) return false;
  if (json.value("made_from", Json()) != Json(from)) return false;
  const auto digest = Sha256::hex_of_file(run_dir + "/" + stage.output);
  if (!digest || *digest != json["sha256"].get<std::string>()) return false;
  const auto number = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
  };
  info.sha256 = *digest;
  info.is_kept = true;
  info.tasks = number("tasks");
  info.records = number("records");
  info.skipped_records = number("skipped_records");
  info.passes = number("passes");
  info.pairs = number("pairs");
  info.results = number("results");
  return true;
}

double seconds_of(Clock::Nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

Result<std::unique_ptr<StageChain>> StageChain::open(const Registry& registry, const Job& job) {
  std::unique_ptr<StageChain> chain(new StageChain);
  for (const StageSpec& spec : job.stages) {
    PLAIT_ASSIGN(auto stage, TaskStage::open(registry, spec, job.seed));
    chain->stages_.push_back(std::move(stage));
  }
  return chain;
}

std::vector<PlacedReader> StageChain::readers() const {
  std::vector<PlacedReader> readers;
  for (const auto& stage : stages_)
    readers.push_back({place_of(stage->spec()) + ".source", &stage->reader()});
  return readers;
}

Status StageChain::run(const Surroundings& around, std::vector<TaskStageInfo>& told) {
  for (const auto& stage : stages_) PLAIT_TRY(run_one(*stage, around, told));
  return {};
}

Status StageChain::run_one(TaskStage& stage, const Surroundings& around, std::vector<TaskStageInfo>& told) {
  Transport& transport = around.transport;
  const StageSpec& spec = stage.spec();
  const std::string path = around.run_dir + "/" + spec.output;
  const std::string from = made_from(spec, around.identity);
  TaskStageInfo info;
  info.name = spec.name;
  info.task = spec.task.id();
  info.is_keyed = spec.is_keyed();
  info.output = spec.output;
  const auto begin = around.clock.now();
  int32_t is_kept =
      around.resume && transport.is_root() && is_good(around.files, around.run_dir, spec, from, info);
  PLAIT_TRY(transport.all_reduce_max(std::span<int32_t>(&is_kept, 1)));
  if (is_kept == 0) {
    if (transport.is_root()) around.observer.task_stage_begun(spec.name, stage.tasks(), stage.records());
    PLAIT_ASSIGN(const TaskStage::Outcome outcome,
                 stage.run(transport, around.work, around.files, path, around.threads));
    info.tasks = stage.tasks();
    info.records = outcome.records;
    info.skipped_records = outcome.skipped_records;
    info.passes = outcome.passes;
    info.pairs = outcome.pairs;
    info.results = outcome.results;
    info.bytes_shuffled = outcome.bytes_shuffled;
    info.bytes_spilled = outcome.bytes_spilled;
    info.tasks_by_rank = outcome.tasks_by_rank;
    info.sha256 = outcome.sha256;
    if (transport.is_root()) {
      PLAIT_TRY(around.files.write_atomically(record_path(around.run_dir, spec), record_text(from, info)));
    }
  }
  PLAIT_ASSIGN(info.sha256, share_text(transport, info.sha256));
  info.seconds = seconds_of(around.clock.now() - begin);
  PLAIT_ASSIGN(const std::string bad,
               first_text(transport, stage.first_bad() ? "" : stage.first_bad().message()));
  if (transport.is_root()) {
    if (!bad.empty()) around.observer.message("bad records are left out; the first: " + bad);
    around.observer.task_stage_finished(info);
  }
  told.push_back(info);
  return {};
}

}  // namespace plait
