#include <fmt/format.h>
#include <fmt/ranges.h>

#include <thread>

#include "base/machine_memory.h"
#include "cli/command.h"
#include "cli/number_option.h"
#include "cli/session.h"
#include "pipeline/resolved.h"
#include "plan/table.h"
#include "report/output.h"
#include "train/check_job.h"
#include "train/int8_ranges.h"
#include "train/metric_values.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

// Usable cores are at most shards x lanes.
std::string core_note(const Job& job) {
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  const int usable = job.train.shards * job.train.lanes;
  if (cores <= usable) return "";
  return "note: this machine has " + std::to_string(cores) + " cores; " + std::to_string(job.train.shards) +
         " shards of " + std::to_string(job.train.lanes) + " lanes use at most " + std::to_string(usable) +
         "\n";
}

// Of what is sure to be held: what stages hold at most is a bound of theirs.
std::string memory_note(RunMemory use) {
  use.stages = 0;
  const uint64_t has = machine_memory();
  if (use.total() <= has) return "";
  return fmt::format("note: this machine has {} of memory, and a rank takes {}\n", memory_text(has),
                     memory_text(use.total()));
}

std::string records_text(const JobCheck& check) {
  const auto count = [](int64_t records) {
    return records < 0 ? "what a stage makes" : std::to_string(records);
  };
  std::string text =
      fmt::format("records: {} to train on, {} to validate, {} to test\n", count(check.training_records),
                  count(check.validation_records), count(check.test_records));
  if (!check.stages.empty()) text += fmt::format("pretraining: {}\n", fmt::join(check.stages, ", "));
  return text;
}

// What a run refuses, though evaluate and predict take it.
std::string notes_text(const Job& job) {
  const Status trains = check_trains_in_f32(job);
  return core_note(job) + (trains ? "" : "note: plait run refuses this job: " + trains.message() + "\n");
}

// "augment: label [10] f32 in training alone, measured as label [] f32"
std::string changed_text(const JobCheck& check) {
  return check.changed_parts.empty() ? ""
                                     : fmt::format("augment: {}\n", fmt::join(check.changed_parts, "; "));
}

// "reported: accuracy, loss; best weights by accuracy"
std::string reports_text(const std::vector<ReportedValue>& reported, const std::string& monitor) {
  std::vector<std::string> names;
  for (const ReportedValue& value : reported) names.push_back(value.name);
  if (names.empty()) return "";
  return fmt::format("reported: {}{}\n", fmt::join(names, ", "),
                     monitor.empty() ? "" : "; best weights by " + monitor);
}

// "updates: of 4 batches each; clip { global_norm: 1 }; average_weights { decay: 0.999 }; restore_best;
// recalibrate: 100 batches"
std::string updates_text(const TrainSpec& train) {
  std::vector<std::string> said;
  if (train.accumulate > 1) said.push_back(fmt::format("of {} batches each", train.accumulate));
  if (train.clip) said.push_back("clip { " + clip_text(train.clip) + " }");
  if (train.averages()) said.push_back(fmt::format("average_weights {{ decay: {} }}", train.average_decay));
  if (train.restore_best) said.push_back("restore_best");
  if (train.recalibrate > 0) said.push_back(fmt::format("recalibrate: {} batches", train.recalibrate));
  return said.empty() ? "" : fmt::format("updates: {}\n", fmt::join(said, "; "));
}

std::string rows_text(const JobCheck& check) {
  if (check.row_bytes == 0) return "";
  return fmt::format("rows of metrics: at most {} MiB an evaluation, and three times that on rank 0\n",
                     check.row_bytes >> 20);
}

std::string stages_text(const JobCheck& check) {
  std::string text;
  for (const TaskStageCheck& stage : check.task_stages) {
    const std::string records = stage.records == 0 ? "as many records as there will be rows"
                                                   : fmt::format("{} records in {} task{}", stage.records,
                                                                 stage.tasks, stage.tasks == 1 ? "" : "s");
    if (!stage.is_task) {
      text += fmt::format("stage {}: {}\n  {}, into {}\n  holds {} of outputs\n", stage.name, stage.flow,
                          records, stage.output, memory_text(stage.memory.held));
      continue;
    }
    text += fmt::format("stage {}: {}\n  {}, at most {} MiB of {} a rank, into {}\n", stage.name, stage.flow,
                        records, stage.memory_bytes >> 20, stage.is_keyed ? "pairs" : "rows", stage.output);
    const ChainStage::Memory& memory = stage.memory;
    text += fmt::format("  holds {} of numbers and records", memory_text(memory.held));
    if (!stage.is_keyed && memory.bounded > 0)
      text += fmt::format(", {} of rows where each record gives one, {} when they come together",
                          memory_text(memory.bounded), memory_text(memory.most));
    text += "\n";
  }
  return text;
}

Result<int> run(const po::variables_map& given) {
  if (!given.count("file")) return {Code::kUsage, "check: wanted a pipeline file"};
  PLAIT_ASSIGN(const Session session, load_session(given, given["file"].as<std::string>()));
  const bool wants_kernels = given.count("kernels") > 0;
  if (wants_kernels && given.count("no-data"))
    return {Code::kUsage,
            "check: --kernels makes the kernels, for the data and on the device: got --no-data too"};
  if (given.count("no-data")) {
    if (session.job.is_stages_only()) {
      print(fmt::format("{} stages; what fits their records is known when the data are opened\n",
                        session.job.stages.size()));
      return kExitOk;
    }
    PLAIT_ASSIGN(const Network network, shape_job(*session.registry, session.job, true));
    PLAIT_ASSIGN(const auto reported, values_of_job(*session.registry, session.job));
    print(network_table(network) + reports_text(reported, "") + notes_text(session.job));
    return kExitOk;
  }
  const int threads = given["threads"].as<int>();
  PLAIT_ASSIGN(const JobCheck check, check_job(*session.registry, session.job, threads));
  if (wants_kernels) {
    print(check.costs.empty() ? "the job trains no network\n" : kernel_table(check.costs));
    return kExitOk;
  }
  print(stages_text(check));
  if (session.job.is_stages_only()) {
    print(memory_table(check.memory, check.threads));
    return kExitOk;
  }
  print(network_table(check.network) + records_text(check) + changed_text(check) +
        reports_text(check.reported, check.monitor) + updates_text(session.job.train) + rows_text(check) +
        memory_table(check.memory, check.threads) + memory_note(check.memory) + notes_text(session.job));
  return kExitOk;
}

}  // namespace

Command check_command() {
  Command command{"check", "FILE [options]", "check a job and show its layers, without training",
                  {},      {"file"},         run};
  command.options.add_options()("file", po::value<std::string>()->value_name("FILE"), "the pipeline file");
  command.options.add_options()("no-data",
                                "open neither the device nor validation and test records, and of the "
                                "training records their shapes only")(
      "threads", whole_number(0, kMostThreads)->default_value(0)->value_name("N"),
      "threads that memory is told for")(
      "kernels", "print what each step runs: library and kernel, formats, what it absorbs");
  command.options.add(job_options());
  return command;
}

}  // namespace plait::inline cli
