#include <optional>

#include "base/shown.h"
#include "cli/command.h"
#include "cli/number_option.h"
#include "cli/overwrite.h"
#include "cli/session.h"
#include "cli/together.h"
#include "cluster/open_transport.h"
#include "report/output.h"
#include "train/predict_run.h"
#include "train/run_folder.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

Result<std::optional<Heading>> heading_of(const po::variables_map& given) {
  if (!given.count("header")) return std::optional<Heading>();
  const auto& word = given["header"].as<std::string>();
  if (given.count("source"))
    return {Code::kUsage, "predict: --header goes with --in; --source says it in its block"};
  if (word == "auto") return std::optional(Heading::kAuto);
  if (word == "yes") return std::optional(Heading::kYes);
  if (word == "no") return std::optional(Heading::kNo);
  return {Code::kUsage, "--header: got \"" + word + "\", wanted yes, no or auto"};
}

// What a pipeline file says between the braces of source { }: then these are the job's test records.
Result<PluginSpec> source_of(const Session& session, const std::string& text) {
  auto source = parse_plugin(*session.registry, {"source"}, "source { " + text + " }", "--source");
  if (!source) return Status(Code::kUsage, source.status().message());
  return source;
}

Result<int> predict(const po::variables_map& given, Transport& transport) {
  if (given.count("in") > 0 && given.count("source") > 0)
    return {Code::kUsage, "predict: --in and --source both name samples; wanted one of them"};
  for (const char* name : {"run", given.count("source") ? "source" : "in", "out"})
    if (!given.count(name))
      return {Code::kUsage, std::string("predict: ") + (name == std::string("run")
                                                            ? "wanted a run's folder"
                                                            : "--" + std::string(name) + " is missing")};
  PredictOptions options;
  options.run_dir = given["run"].as<std::string>();
  options.weights = given["weights"].as<std::string>();
  options.in = given.count("source") ? "test" : given["in"].as<std::string>();
  options.out = given["out"].as<std::string>();
  options.sink = given["sink"].as<std::string>();
  options.threads = given["threads"].as<int>();
  PLAIT_ASSIGN(options.heading, heading_of(given));
  PLAIT_TRY(check_overwrite("--out", options.out, {{"what --in names", options.in}}));
  PLAIT_TRY(check_overwrite("--out", options.out, files_of_options(given)));
  PLAIT_ASSIGN(Session session, load_run(given, options.run_dir));
  if (given.count("source")) {
    PLAIT_ASSIGN(session.job.test, source_of(session, given["source"].as<std::string>()));
  }
  PLAIT_TRY(check_overwrite("--out", options.out, files_of_run(options.run_dir, session.job)));
  PLAIT_TRY(check_overwrite("--out", options.out, files_of_job(session.job)));
  SystemFiles files;
  PLAIT_ASSIGN(const PredictSummary summary,
               predict_run(*session.registry, session.job, options, transport, files));
  if (!transport.is_root()) return kExitOk;
  for (const std::string& note : summary.notes) print("plait: note: " + shown_message(note) + "\n", stderr);
  print(std::to_string(summary.samples) + " predictions written to " + options.out + "\n");
  return kExitOk;
}

Result<int> run(const po::variables_map& given) {
  try_new_plugins(given, given.count("run") ? resolved_path(given["run"].as<std::string>()) : "");
  PLAIT_ASSIGN(const auto transport, open_transport(mpi_module_path()));
  return run_together(*transport, [&] { return predict(given, *transport); });
}

}  // namespace

Command predict_command() {
  Command command{"predict", "RUN --in X --out Y", "apply a run's network to samples", {}, {"run"}, run};
  command.ranks = Ranks::kTogether;
  command.options.add_options()("run", po::value<std::string>()->value_name("RUN"), "the run's folder")(
      "in", po::value<std::string>()->value_name("X"),
      "a file of samples that a source opens by its ending (.npy, .csv), - or a pipe of one, or test or "
      "validation")(
      "source", po::value<std::string>()->value_name("SOURCE"),
      "in place of --in: a source as a pipeline file has it, such as 'npy { inputs: \"x.npy\" }'")(
      "header", po::value<std::string>()->value_name("WHETHER"),
      "the first row of a table of --in is a heading: yes, no, or auto (default)")(
      "out", po::value<std::string>()->value_name("Y"),
      "the file to write: .csv, .npy or another ending that a sink has")(
      "sink", po::value<std::string>()->default_value("")->value_name("TYPE"),
      "the sink that writes it; default: the one that --out's ending means")(
      "weights", po::value<std::string>()->default_value("last")->value_name("WHICH"),
      "last, best, or a safetensors file")(
      "threads", whole_number(0, kMostThreads)->default_value(0)->value_name("N"), "threads");
  command.options.add(job_options());
  return command;
}

}  // namespace plait::inline cli
