// `plait try`: trains a line.
#include <algorithm>

#include "cli/command.h"
#include "cli/number_option.h"
#include "cli/overwrite.h"
#include "cli/session.h"
#include "cli/training_world.h"
#include "cli/try_chain.h"
#include "report/output.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

std::string one_line(std::string line) {
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

// The job of the text that `line` stands for. Messages point into that text.
Result<Session> session_of(const po::variables_map& given, std::string& text) {
  PLAIT_ASSIGN(const auto elements, parse_chain(given["line"].as<std::string>()));
  const std::string file = pipeline_named(elements[0].name);
  PLAIT_ASSIGN(const JobOptions changes, job_options_of(given));
  PluginScan scan;
  if (!file.empty()) {
    PLAIT_ASSIGN(scan, scan_plugins(file, changes.vars));
  }
  if (given.count("lock"))
    PLAIT_TRY(
        check_overwrite("--lock", given["lock"].as<std::string>(), files_of_pipeline(file, changes.vars)));
  Session session;
  PLAIT_ASSIGN(session.registry, load_registry(given, scan));
  PLAIT_ASSIGN(text, pipeline_of(*session.registry, elements, given["line"].as<std::string>()));
  text = "# plait try '" + one_line(given["line"].as<std::string>()) + "'\n" + text;
  if (given.count("print")) return session;
  auto job = parse_job(*session.registry, text, "try", changes);
  if (!job)
    return Status(job.status().code(),
                  job.status().message() + "\n(lines are those of the file that --print shows)");
  session.job = std::move(*job);
  return session;
}

Result<int> train(const po::variables_map& given, TrainingWorld& world) {
  if (!given.count("line"))
    return {Code::kUsage, "try: wanted a line: plait try 'SOURCE ! LAYER(FIELD=VALUE) ! ...'"};
  std::string text;
  PLAIT_ASSIGN(const ProgressMode mode, progress_mode(given["progress"].as<std::string>()));
  PLAIT_ASSIGN(const Session session, session_of(given, text));
  if (given.count("print")) {
    if (world.transport().is_root()) print(text);
    return kExitOk;
  }
  RunOptions options;
  options.run_dir = given["run-dir"].as<std::string>();
  options.threads = given["threads"].as<int>();
  options.max_steps = given["max-steps"].as<int64_t>();
  return world.train(session, options, mode);
}

// The file that `try` takes all but the layers from; "" where there is none.
std::string file_of(const po::variables_map& given) {
  const auto elements = parse_chain(given.count("line") ? given["line"].as<std::string>() : std::string());
  return elements && !elements->empty() ? pipeline_named(elements->front().name) : "";
}

Result<int> run(const po::variables_map& given) {
  return TrainingWorld::enter([&] { try_new_plugins(given, file_of(given)); },
                              [&](TrainingWorld& world) { return train(given, world); });
}

}  // namespace

Command try_command() {
  Command command{"try",
                  "'SOURCE ! LAYER(FIELD=VALUE) ! ...'",
                  "train a line, or --print the file it stands for",
                  {},
                  {"line"},
                  run};
  command.ranks = Ranks::kTogether;
  command.options.add_options()("line", po::value<std::string>()->value_name("LINE"),
                                "a source with its fields, or a pipeline file or the name of an installed "
                                "one, which gives all but layers; then "
                                "plugins in order; then blocks, as in train(epochs=3)")(
      "print", "print the pipeline file and end")(
      "run-dir", po::value<std::string>()->default_value("")->value_name("DIR"), "folder of the run")(
      "threads", whole_number(0, kMostThreads)->default_value(0)->value_name("N"), "threads of this rank")(
      "max-steps", whole_number(int64_t{0}, kMostSteps)->default_value(0)->value_name("N"),
      "stop after so many steps of a shard")(
      "progress", po::value<std::string>()->default_value("auto")->value_name("MODE"),
      "bar, plain, json, none (warnings and errors alone, on standard error) or auto");
  command.options.add(job_options());
  return command;
}

}  // namespace plait::inline cli
