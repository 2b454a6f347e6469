// `plait bench`: where the time of a training goes.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/number_option.h"
#include "cli/plugin_lock.h"
#include "cli/scratch_folder.h"
#include "cli/session.h"
#include "io/stop_signals.h"
#include "report/bench_table.h"
#include "report/output.h"
#include "train/bench_job.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

BenchOptions options_of(const po::variables_map& given) {
  BenchOptions options;
  options.seconds = given["seconds"].as<double>();
  options.threads = given["threads"].as<int>();
  options.program = program_identity();
  return options;
}

Result<int> run(const po::variables_map& given) {
  if (!given.count("file")) return {Code::kUsage, "bench: wanted a pipeline file"};
  BenchOptions options = options_of(given);
  const std::string file = given["file"].as<std::string>();
  try_new_plugins(given, file);
  PLAIT_ASSIGN(const std::atomic<bool>* stop, watch_stop_signals());
  PLAIT_ASSIGN(const Session session, load_session(given, file));
  PLAIT_ASSIGN(const ScratchFolder folder, ScratchFolder::create());
  options.scratch_folder = folder.path() + "/run";
  const int batch = given["inference"].as<int>();
  PLAIT_ASSIGN(const BenchResult result,
               batch > 0 ? bench_inference(*session.registry, session.job, batch, options, *stop)
                         : bench_job(*session.registry, session.job, options, *stop));
  print(given.count("json") ? bench_json(result) : bench_table(result));
  return kExitOk;
}

}  // namespace

Command bench_command() {
  Command command{"bench", "FILE [options]", "train for some seconds and show where the time goes",
                  {},      {"file"},         run};
  command.options.add_options()("file", po::value<std::string>()->value_name("FILE"), "the pipeline file")(
      "seconds", number_above(0, 1e6)->default_value(5, "5")->value_name("SECONDS"),
      "of training, then to the end of the round")(
      "threads", whole_number(0, kMostThreads)->default_value(0)->value_name("N"),
      "threads (0: the cores of this process)")(
      "inference", whole_number(1, 1 << 20)->default_value(0)->value_name("N"),
      "forward alone, batches of N samples one after the other on the job's lanes")("json",
                                                                                    "as one JSON object");
  command.options.add(job_options());
  return command;
}

}  // namespace plait::inline cli
