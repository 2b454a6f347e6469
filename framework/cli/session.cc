#include "cli/session.h"

#include <filesystem>

#include "cli/plugin_lock.h"
#include "graph/input.h"
#include "graph/optimizer.h"

namespace plait {
namespace po = boost::program_options;
namespace {

using Words = std::vector<std::string>;

Words words_of(const po::variables_map& given, const char* name) {
  return given.count(name) ? given[name].as<Words>() : Words{};
}

Result<JobOptions> job_options_of(const po::variables_map& given, bool for_training) {
  JobOptions options;
  options.for_training = for_training;
  options.sets = words_of(given, "set");
  options.deletes = words_of(given, "del");
  for (const std::string& word : options.sets)
    if (word.find('=') == std::string::npos) return {Code::kUsage, "--set " + word + ": wanted PATH=VALUE"};
  for (const std::string& word : words_of(given, "var")) {
    const size_t at = word.find('=');
    if (at == std::string::npos || at == 0) return {Code::kUsage, "--var " + word + ": wanted NAME=VALUE"};
    options.vars[word.substr(0, at)] = word.substr(at + 1);
  }
  return options;
}

}  // namespace

po::options_description plugin_options() {
  po::options_description options;
  options.add_options()("plugin", po::value<Words>()->value_name("FILE"),
                        "load a plugin (or all *.plait.so of a folder); may be repeated");
  return options;
}

po::options_description job_options() {
  po::options_description options = plugin_options();
  options.add_options()("set", po::value<Words>()->value_name("PATH=VALUE"),
                        "change a field: train.shards=4, layer[c1].convolution.filters=64; may be repeated")(
      "var", po::value<Words>()->value_name("NAME=VALUE"),
      "give a variable of the file another value; may be repeated")(
      "del", po::value<Words>()->value_name("PATH"), "leave out a field: layer[drop1]; may be repeated");
  return options;
}

Result<std::unique_ptr<Registry>> load_registry(const po::variables_map& given, const PluginScan& scan) {
  Words files = scan.plugins, folders = scan.plugin_path;
  for (const std::string& word : words_of(given, "plugin"))
    (std::filesystem::is_directory(word) ? folders : files).push_back(word);
  const SearchPath path = default_search_path(files, folders);
  if (given.count("locked")) PLAIT_TRY(check_lock(path, given["locked"].as<std::string>()));
  auto registry = Registry::load(path);
  if (!registry) return registry.status();
  return std::make_unique<Registry>(std::move(registry).value());
}

Result<Session> load_session(const po::variables_map& given, const std::string& file, bool for_training) {
  PLAIT_ASSIGN(const JobOptions options, job_options_of(given, for_training));
  PLAIT_ASSIGN(const PluginScan scan, scan_plugins(file, options.vars));
  Session session;
  PLAIT_ASSIGN(session.registry, load_registry(given, scan));
  PLAIT_ASSIGN(session.job, load_job(*session.registry, file, options));
  return session;
}

Result<Network> shape_job(const Session& session, bool fuse) {
  const Job& job = session.job;
  const PluginSpec& source = job.source ? job.source : job.test;
  if (!source)
    return {Code::kInvalid, job.file + ": has no source, so that the samples' shapes are not known"};
  SampleReader::Options options;
  options.seed = job.seed;
  options.shapes_only = true;
  options.augment = &job.augment;
  options.preprocess = &job.preprocess;
  PLAIT_ASSIGN(const auto reader, SampleReader::create(*session.registry, source, options));
  return shape_network(job, reader->parts(), job.train.batch, fuse);
}

Result<int> optimizer_slots(const Session& session) {
  const Job& job = session.job;
  if (!job.optimizer) return 0;
  PLAIT_ASSIGN(const auto optimizer,
               OptimizerInstance::create(*session.registry, job.optimizer, job.schedules, PLAIT_HOST_DEVICE));
  return static_cast<int>(optimizer->slots().size());
}

std::string mpi_module_path() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "lib" / "plait" / "plait_mpi.so").string();
}

}  // namespace plait
