#include <limits>

#include "cli/command.h"
#include "cli/number_option.h"
#include "cli/overwrite.h"
#include "cli/session.h"
#include "cli/training_world.h"
#include "pipeline/resolved.h"
#include "report/output.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

Result<RunOptions> run_options_of(const po::variables_map& given) {
  RunOptions options;
  options.run_dir = given["run-dir"].as<std::string>();
  options.resume = given.count("resume") > 0;
  options.weights_file = given["weights"].as<std::string>();
  options.weights_partial = given.count("weights-partial") > 0;
  options.threads = given["threads"].as<int>();
  options.max_steps = given["max-steps"].as<int64_t>();
  options.max_seconds = given["max-time"].as<double>();
  options.overfit_batches = given["overfit-batches"].as<int>();
  options.trace = given["trace"].as<std::string>();
  options.profile = given.count("profile") > 0;
  options.whole_data_digest = given.count("whole-digest") > 0;
  if (!given["accept-change"].defaulted() && given["accept-change"].as<std::string>().empty())
    return Status(Code::kUsage, "--accept-change: got \"\", wanted of program, isa, plugins, data and job");
  PLAIT_ASSIGN(options.accept_change, accepted_parts(given["accept-change"].as<std::string>()));
  if (!options.accept_change.empty() && !options.resume)
    return Status(Code::kUsage, "--accept-change is for a run that is resumed; wanted it with --resume");
  if (options.resume && !options.weights_file.empty())
    return Status(Code::kUsage,
                  "--resume goes on with the checkpoint's weights; wanted it without --weights");
  if (options.weights_partial && options.weights_file.empty())
    return Status(Code::kUsage, "--weights-partial says how --weights FILE is taken; wanted both");
  return options;
}

Result<int> train(const po::variables_map& given, TrainingWorld& world) {
  PLAIT_ASSIGN(const RunOptions options, run_options_of(given));
  PLAIT_ASSIGN(const ProgressMode mode, progress_mode(given["progress"].as<std::string>()));
  if (!given.count("file")) return {Code::kUsage, "run: wanted a pipeline file"};
  const std::string file = given["file"].as<std::string>();
  PLAIT_ASSIGN(const JobOptions changes, job_options_of(given));
  if (!options.trace.empty())
    PLAIT_TRY(check_overwrite("--trace", options.trace, files_of_pipeline(file, changes.vars)));
  PLAIT_TRY(check_overwrite("--trace", options.trace, files_of_options(given)));
  PLAIT_ASSIGN(const Session session, load_session(given, file));
  if (given.count("print")) {
    if (world.transport().is_root()) print(resolved_text(session.job, Form::kLong));
    return kExitOk;
  }
  PLAIT_TRY(check_overwrite("--trace", options.trace, files_of_job(session.job)));
  if (!options.run_dir.empty())
    PLAIT_TRY(check_overwrite("--trace", options.trace, files_of_run(options.run_dir, session.job)));
  return world.train(session, options, mode);
}

Result<int> run(const po::variables_map& given) {
  const std::string file = given.count("file") ? given["file"].as<std::string>() : "";
  return TrainingWorld::enter([&] { try_new_plugins(given, file); },
                              [&](TrainingWorld& world) { return train(given, world); });
}

}  // namespace

Command run_command() {
  Command command{"run", "FILE [options]", "train a job, alone or under mpirun", {}, {"file"}, run};
  command.ranks = Ranks::kTogether;
  command.options.add_options()("file", po::value<std::string>()->value_name("FILE"), "the pipeline file")(
      "run-dir", po::value<std::string>()->default_value("")->value_name("DIR"),
      "folder of the run (default: runs/<pipeline>-<time>)")("resume",
                                                             "go on from the folder's last checkpoint")(
      "weights", po::value<std::string>()->default_value("")->value_name("FILE"),
      "begin with these weights (safetensors)")("print",
                                                "print the job with each of its steps as a stage, and end")(
      "weights-partial", "leave out tensors of --weights that have another shape or type")(
      "threads", whole_number(0, kMostThreads)->default_value(0)->value_name("N"),
      "threads of this rank (0: its share of the host's cores)")(
      "max-steps", whole_number(int64_t{0}, kMostSteps)->default_value(0)->value_name("N"),
      "end after so many steps of a shard, rounded down to whole rounds: a shorter run, or where its "
      "pretraining is not done one that is stopped, with status 75")(
      "max-time", number_from(0, kMostSeconds)->default_value(0)->value_name("SECONDS"),
      "save and stop with status 75 after this")(
      "overfit-batches", whole_number(0, std::numeric_limits<int>::max())->default_value(0)->value_name("N"),
      "train on the first N batches only")(
      "accept-change", po::value<std::string>()->default_value("")->value_name("WORDS"),
      "with --resume: go on with other bits where these changed, of program,isa,plugins,data,job")(
      "whole-digest", "compare every byte of data files beyond 256 MiB, not samples of them")(
      "progress", po::value<std::string>()->default_value("auto")->value_name("MODE"),
      "bar, plain, json, none (warnings and errors alone, on standard error) or auto")(
      "profile", "print the time per layer at the end")(
      "trace", po::value<std::string>()->default_value("")->value_name("FILE"),
      "write what ran when, on every rank and thread (Chrome trace format, for Perfetto)");
  command.options.add(job_options());
  return command;
}

}  // namespace plait::inline cli
