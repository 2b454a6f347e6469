// `plait quantize`: a run that computes on 8-bit integers, from one that is done.
#include <fmt/format.h>

#include "base/shown.h"
#include "cli/command.h"
#include "cli/number_option.h"
#include "cli/session.h"
#include "cli/together.h"
#include "cluster/open_transport.h"
#include "report/output.h"
#include "train/quantize_run.h"
#include "train/run_folder.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

constexpr int64_t kMostRecords = int64_t{1} << 31;

Result<QuantizeOptions> options_of(const po::variables_map& given) {
  if (!given.count("run")) return {Code::kUsage, "quantize: wanted a run's folder"};
  QuantizeOptions options;
  options.run_dir = given["run"].as<std::string>();
  while (options.run_dir.size() > 1 && options.run_dir.ends_with('/')) options.run_dir.pop_back();
  options.out_dir = given.count("out") ? given["out"].as<std::string>() : options.run_dir + "-int8";
  options.weights = given["weights"].as<std::string>();
  options.on = given["on"].as<std::string>();
  options.records = given["records"].as<int64_t>();
  options.threads = given["threads"].as<int>();
  const auto reject = [](const char* name, const auto& got, const char* wanted) {
    return Status(Code::kUsage, fmt::format("quantize: {}: got {}, wanted {}", name, got, wanted));
  };
  if (options.out_dir.empty()) return reject("--out", "\"\"", "a folder");
  if (options.on != "train" && options.on != "validation" && options.on != "test")
    return reject("--on", "\"" + options.on + "\"", "train, validation or test");
  return options;
}

std::string told(const QuantizeSummary& summary, const QuantizeOptions& options) {
  std::string text;
  size_t count = 0;
  for (const LayerSpec& layer : summary.layers) {
    count += !layer.ranges.empty();
    for (const Int8Range& range : layer.ranges)
      text += fmt::format("{} ({}): input {} is between {:.6g} and {:.6g}\n", layer.name,
                          layer.plugin.entry->short_name(), range.input, range.low, range.high);
  }
  return text + fmt::format("{} of {} layers compute on 8-bit integers, by {} {} records; the run is {}\n",
                            count, summary.layers.size(), summary.records, options.on, options.out_dir);
}

Result<int> quantize(const po::variables_map& given, const QuantizeOptions& options, Transport& transport) {
  PLAIT_ASSIGN(const Session session, load_run(given, options.run_dir));
  SystemClock clock;
  SystemFiles files;
  PLAIT_ASSIGN(const QuantizeSummary summary,
               quantize_run(*session.registry, session.job, options, transport, clock, files));
  if (!transport.is_root()) return kExitOk;
  for (const std::string& note : summary.notes) print("plait: note: " + shown_message(note) + "\n", stderr);
  print(told(summary, options));
  return kExitOk;
}

Result<int> run(const po::variables_map& given) {
  PLAIT_ASSIGN(const QuantizeOptions options, options_of(given));
  try_new_plugins(given, resolved_path(options.run_dir));
  PLAIT_ASSIGN(const auto transport, open_transport(mpi_module_path()));
  return run_together(*transport, [&] { return quantize(given, options, *transport); });
}

}  // namespace

Command quantize_command() {
  Command command{
      "quantize", "RUN [options]", "make a run that computes on 8-bit integers of one that is done",
      {},         {"run"},         run};
  command.ranks = Ranks::kTogether;
  command.options.add_options()("run", po::value<std::string>()->value_name("RUN"), "the run's folder")(
      "out", po::value<std::string>()->value_name("FOLDER"), "the new run's folder; default: RUN-int8")(
      "records", whole_number(int64_t{1}, kMostRecords)->default_value(1000)->value_name("N"),
      "records that the ranges of layers' inputs are measured on, evenly over all")(
      "on", po::value<std::string>()->default_value("train")->value_name("WHICH"),
      "which records: train, validation or test")(
      "weights", po::value<std::string>()->default_value("last")->value_name("WHICH"),
      "last, best, or a safetensors file")(
      "threads", whole_number(0, kMostThreads)->default_value(0)->value_name("N"), "threads of this rank");
  command.options.add(job_options());
  return command;
}

}  // namespace plait::inline cli
