// `plait tune`: the fastest implementation of each layer, measured here, as a file that a job includes.
#include <fmt/format.h>

#include "base/files.h"
#include "cli/command.h"
#include "cli/number_option.h"
#include "cli/overwrite.h"
#include "cli/scratch_folder.h"
#include "cli/session.h"
#include "io/stop_signals.h"
#include "report/output.h"
#include "train/tune_job.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

TuneOptions options_of(const po::variables_map& given) {
  TuneOptions options;
  options.seconds = given["seconds"].as<double>();
  options.turns = given["turns"].as<int>();
  options.threads = given["threads"].as<int>();
  options.program = program_identity();
  return options;
}

std::string told(const Job& job, const std::vector<TunedLayer>& layers) {
  std::string text;
  for (const TunedLayer& layer : layers) {
    text += fmt::format("{}: {} (", job.layers[static_cast<size_t>(layer.number)].name,
                        layer.best().implementation);
    for (size_t i = 0; i < layer.times.size(); ++i)
      text += fmt::format("{}{} {:.1f} us", i == 0 ? "" : ", ", layer.times[i].implementation,
                          layer.times[i].seconds * 1e6);
    text += ")\n";
  }
  return text;
}

Result<int> run(const po::variables_map& given) {
  if (!given.count("file")) return {Code::kUsage, "tune: wanted a pipeline file"};
  TuneOptions options = options_of(given);
  const std::string file = given["file"].as<std::string>(), out = given["out"].as<std::string>();
  if (out.empty()) return {Code::kUsage, "tune: --out: got \"\", wanted a file"};
  PLAIT_ASSIGN(const JobOptions changes, job_options_of(given));
  PLAIT_TRY(check_overwrite("--out", out, files_of_pipeline(file, changes.vars)));
  PLAIT_TRY(check_overwrite("--out", out, files_of_options(given)));
  try_new_plugins(given, file);
  PLAIT_ASSIGN(const std::atomic<bool>* stop, watch_stop_signals());
  PLAIT_ASSIGN(const Session session, load_session(given, file));
  PLAIT_TRY(check_overwrite("--out", out, files_of_job(session.job)));
  PLAIT_ASSIGN(const ScratchFolder folder, ScratchFolder::create());
  options.scratch_folder = folder.path();
  PLAIT_ASSIGN(const auto layers, tune_job(*session.registry, session.job, options, *stop));
  SystemFiles files;
  PLAIT_TRY(files.write_atomically(out, tuned_text(session.job, layers)));
  print(told(session.job, layers) +
        fmt::format("{} is written: include: \"{}\" in a pipeline file takes these\n", out, out));
  return kExitOk;
}

}  // namespace

Command tune_command() {
  Command command{
      "tune", "FILE [options]", "measure the implementations of layers, and write the fastest ones",
      {},     {"file"},         run};
  command.options.add_options()("file", po::value<std::string>()->value_name("FILE"), "the pipeline file")(
      "out", po::value<std::string>()->default_value("tuned.txtpb")->value_name("FILE"),
      "file to write, for a pipeline file to include")(
      "seconds", number_above(0, 1e6)->default_value(2, "2")->value_name("SECONDS"),
      "of training, of each implementation in each turn")(
      "turns", whole_number(1, 1000)->default_value(3)->value_name("N"), "turns; the median counts")(
      "threads", whole_number(0, kMostThreads)->default_value(0)->value_name("N"),
      "threads (0: the cores of this process)");
  command.options.add(job_options());
  return command;
}

}  // namespace plait::inline cli
