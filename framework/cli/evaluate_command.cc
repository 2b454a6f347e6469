#include "base/shown.h"
#include "cli/command.h"
#include "cli/number_option.h"
#include "cli/session.h"
#include "cli/together.h"
#include "cluster/open_transport.h"
#include "report/format.h"
#include "report/output.h"
#include "train/evaluate_run.h"
#include "train/run_folder.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

Result<int> evaluate(const po::variables_map& given, Transport& transport) {
  if (!given.count("run")) return {Code::kUsage, "evaluate: wanted a run's folder"};
  EvaluateOptions options;
  options.run_dir = given["run"].as<std::string>();
  options.weights = given["weights"].as<std::string>();
  options.on = given["on"].as<std::string>();
  options.threads = given["threads"].as<int>();
  if (options.on != "test" && options.on != "validation")
    return {Code::kUsage, "--on: got \"" + options.on + "\", wanted test or validation"};
  PLAIT_ASSIGN(const Session session, load_run(given, options.run_dir));
  SystemClock clock;
  SystemFiles files;
  PLAIT_ASSIGN(const EvaluationInfo info,
               evaluate_run(*session.registry, session.job, options, transport, clock, files));
  if (transport.is_root())
    for (const std::string& note : info.notes) print("plait: note: " + shown_message(note) + "\n", stderr);
  if (transport.is_root())
    print(info.on + " (" + info.weights + " weights, " + std::to_string(info.records) +
          " records): " + values_text(info.values) + "\n");
  return kExitOk;
}

Result<int> run(const po::variables_map& given) {
  try_new_plugins(given, given.count("run") ? resolved_path(given["run"].as<std::string>()) : "");
  PLAIT_ASSIGN(const auto transport, open_transport(mpi_module_path()));
  return run_together(*transport, [&] { return evaluate(given, *transport); });
}

}  // namespace

Command evaluate_command() {
  Command command{"evaluate", "RUN [options]", "measure a run's weights on its test records",
                  {},         {"run"},         run};
  command.ranks = Ranks::kTogether;
  command.options.add_options()("run", po::value<std::string>()->value_name("RUN"), "the run's folder")(
      "weights", po::value<std::string>()->default_value("last")->value_name("WHICH"),
      "last, best, or a safetensors file")(
      "on", po::value<std::string>()->default_value("test")->value_name("WHICH"), "test or validation")(
      "threads", whole_number(0, kMostThreads)->default_value(0)->value_name("N"), "threads of this rank");
  command.options.add(job_options());
  return command;
}

}  // namespace plait::inline cli
