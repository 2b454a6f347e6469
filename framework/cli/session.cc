#include "cli/session.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/files.h"
#include "base/shown.h"
#include "cli/choose_device.h"
#include "cli/command.h"
#include "cli/early_exit.h"
#include "cli/file_plugins.h"
#include "cli/overwrite.h"
#include "cli/plugin_lock.h"
#include "cluster/open_transport.h"
#include "graph/sample_reader.h"
#include "pipeline/reader.h"
#include "registry/known_digests.h"
#include "train/instruction_set.h"
#include "train/run_folder.h"
#include "train/stage_chain.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

using Words = std::vector<std::string>;

Words words_of(const po::variables_map& given, const char* name) {
  return given.count(name) ? given[name].as<Words>() : Words{};
}

// Every folder that --plugin names has something to give.
Status check_folder(const std::string& folder) {
  if (!libraries_in(folder).empty()) return {};
  std::error_code error;
  std::filesystem::directory_iterator(folder, error);
  return {Code::kNotFound, "--plugin " + folder + ": there is no *.plait.so in this folder" +
                               (error ? ": " + error.message() : "")};
}

// Before anything is written over what the command itself needs.
Status check_lock_place(const po::variables_map& given, const SearchPath& path) {
  ReadFiles read;
  if (given.count("file")) {
    PLAIT_ASSIGN(const JobOptions changes, job_options_of(given));
    read = files_of_pipeline(given["file"].as<std::string>(), changes.vars);
  }
  if (given.count("run")) read = files_of_run(given["run"].as<std::string>(), Job());
  if (given.count("weights")) read.push_back({"that of --weights", given["weights"].as<std::string>()});
  for (const std::string& plugin : libraries_on(path)) read.push_back({"a plugin", plugin});
  return check_overwrite("--lock", given["lock"].as<std::string>(), read);
}

// Where --lock is given, once they have been seen to load.
Status write_lock(const po::variables_map& given, const SearchPath& path) {
  if (!given.count("lock")) return {};
  PLAIT_TRY(check_lock_place(given, path));
  if (launcher_rank() != 0) return {};
  PLAIT_ASSIGN(const std::string text, lock_text(path));
  return SystemFiles().write_atomically(given["lock"].as<std::string>(), text);
}

// One line each, said by one rank.
void tell_failures(const Registry& registry) {
  if (launcher_rank() != 0) return;
  for (const PluginFailure& failure : registry.failures())
    std::fputs(("plait: warning: not loaded: " + shown_message(failure.reason.message()) + "\n").c_str(),
               stderr);
}

}  // namespace

std::vector<JobChange> changes_of(const po::variables_map& given) {
  std::vector<JobChange> changes;
  const Words words = words_of(given, kChangesInOrder);
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    const auto kind = words[i] == "set"   ? JobChange::Kind::kSet
                      : words[i] == "del" ? JobChange::Kind::kDelete
                                          : JobChange::Kind::kVariable;
    changes.push_back({kind, words[i + 1]});
  }
  return changes;
}

Result<JobOptions> job_options_of(const po::variables_map& given, bool for_training) {
  JobOptions options;
  options.for_training = for_training;
  options.changes = changes_of(given);
  if (given.count("device")) options.changes.push_back(device_change(given["device"].as<std::string>()));
  for (const auto& [kind, text, from] : options.changes) {
    const size_t at = text.find('=');
    if (kind == JobChange::Kind::kSet && at == std::string::npos)
      return {Code::kUsage, "--set " + text + ": wanted PATH=VALUE"};
    if (kind != JobChange::Kind::kVariable) continue;
    if (at == std::string::npos || at == 0) return {Code::kUsage, "--var " + text + ": wanted NAME=VALUE"};
    options.vars[text.substr(0, at)] = text.substr(at + 1);
  }
  return options;
}

po::options_description plugin_options() {
  po::options_description options;
  options.add_options()("plugin", po::value<Words>()->value_name("FILE"),
                        "load a plugin (or all *.plait.so of a folder); may be repeated");
  return options;
}

po::options_description trust_options() {
  po::options_description options;
  options.add_options()("trust", "load the plugins that the file names, which runs their code");
  return options;
}

po::options_description lock_options() {
  po::options_description options;
  options.add_options()(
      "locked", po::value<std::string>()->value_name("LOCK"),
      "load no plugin whose digest is not in LOCK, written by --lock or plait doctor --lock")(
      "lock", po::value<std::string>()->value_name("LOCK"),
      "write the digests of all plugins that the command finds, for --locked");
  return options;
}

po::options_description job_options() {
  po::options_description options = plugin_options();
  options.add(trust_options());
  options.add(lock_options());
  options.add_options()("set", po::value<Words>()->value_name("PATH=VALUE"),
                        "change a field: train.shards=4, layer[c1].convolution.filters=64; may be repeated")(
      "var", po::value<Words>()->value_name("NAME=VALUE"),
      "give a variable of the file another value; may be repeated")(
      "del", po::value<Words>()->value_name("PATH"), "leave out a field: layer[drop1]; may be repeated")(
      "device", po::value<std::string>()->value_name("NAME"),
      "run on this device, with its defaults: cpu, auto, ...");
  return options;
}

Result<SearchPath> plugin_path(const po::variables_map& given, const PluginScan& scan) {
  Words named_files, named_folders;
  for (const std::string& word : words_of(given, "plugin")) {
    std::error_code ignored;
    const bool is_folder = std::filesystem::is_directory(word, ignored);
    if (is_folder) PLAIT_TRY(check_folder(word));
    (is_folder ? named_folders : named_files).push_back(word);
  }
  PluginScan added = scan;
  if (!given.count("trust")) {
    PLAIT_ASSIGN(added, trusted_plugins(scan, default_search_path(named_files, named_folders)));
  }
  named_files.insert(named_files.end(), added.plugins.begin(), added.plugins.end());
  named_folders.insert(named_folders.end(), added.plugin_path.begin(), added.plugin_path.end());
  const SearchPath path = default_search_path(named_files, named_folders);
  if (given.count("locked") && given.count("lock"))
    return {Code::kUsage, "--lock writes what --locked asks for: wanted one of them"};
  if (given.count("locked")) PLAIT_TRY(check_lock(path, given["locked"].as<std::string>()));
  return path;
}

Result<std::unique_ptr<Registry>> load_registry(const po::variables_map& given, const PluginScan& scan) {
  PLAIT_ASSIGN(const SearchPath path, plugin_path(given, scan));
  auto registry = Registry::load(path);
  watch_exit();
  if (!registry) return registry.status();
  PLAIT_TRY(write_lock(given, path));
  tell_failures(*registry);
  return std::make_unique<Registry>(std::move(registry).value());
}

void try_new_plugins(const po::variables_map& given, const std::string& file) {
  const auto options = job_options_of(given, true);
  if (!options || (launcher_size() > 1 && is_stream(file))) return;
  keep_job_text(file);
  const auto scan = file.empty() ? Result<PluginScan>(PluginScan()) : scan_plugins(file, options->vars);
  if (!scan) return;
  if (const auto path = plugin_path(given, *scan)) try_libraries(*path);
}

Result<Session> load_session(const po::variables_map& given, const std::string& file, bool for_training) {
  if (launcher_size() > 1 && is_stream(file))
    return {Code::kUsage,
            "\"" + file + "\" gives its text to one rank alone; wanted a file that all ranks can read"};
  keep_job_text(file);
  PLAIT_ASSIGN(const JobOptions options, job_options_of(given, for_training));
  PLAIT_ASSIGN(const PluginScan scan, scan_plugins(file, options.vars));
  Session session;
  PLAIT_ASSIGN(session.registry, load_registry(given, scan));
  PLAIT_ASSIGN(session.job, load_job(*session.registry, file, options));
  PLAIT_TRY(choose_device(*session.registry, session.job, [&](const JobChange& change) {
    JobOptions with = options;
    with.changes.push_back(change);
    return load_job(*session.registry, file, with);
  }));
  return session;
}

Result<Session> load_run(const po::variables_map& given, const std::string& run_dir) {
  const std::string file = resolved_path(run_dir);
  auto session = load_session(given, file);
  if (session || session.status().code() != Code::kInvalid) return session;
  const auto scan = scan_plugins(file);
  const auto path = plugin_path(given, scan ? *scan : PluginScan());
  const std::string missing = path ? missing_text(*path, run_dir + "/plugins.lock") : "";
  if (missing.empty()) return session;
  return Status(session.status().code(), session.status().message() +
                                             "\nplait: the run had plugins that are " +
                                             "not here: " + missing + "; name them by --plugin");
}

Result<Network> shape_job(const Session& session, bool fuse) {
  return shape_job(*session.registry, session.job, fuse);
}

namespace {

Result<Network> shape_for(const Registry& registry, const Job& job, bool fuse, bool training,
                          SourceClasses* classes) {
  const PluginSpec& source = job.source ? job.source : job.test;
  if (!source)
    return {Code::kInvalid, job.file + ": has no source, so that the samples' shapes are not known"};
  SampleReader::Options options;
  options.training = training;
  options.seed = job.seed;
  options.augment = &job.augment;
  options.preprocess = &job.preprocess;
  if (std::ranges::any_of(job.stages, &StageSpec::is_used))
    PLAIT_TRY(StageChain::open(registry, job, StageChain::When::kBeforeTraining)
                  .status());  // which says what its stages will make
  PLAIT_ASSIGN(const auto reader, SampleReader::create(registry, source, options));
  if (classes != nullptr) *classes = classes_of(*reader);
  if (job.train.precision == Precision::kBf16)
    PLAIT_TRY(check_bf16(process_environment(), processor_flags()).at(job.name));
  return shape_network(job, reader->parts(), job.train.batch, fuse);
}

}  // namespace

Result<Network> shape_job(const Registry& registry, const Job& job, bool fuse) {
  return shape_for(registry, job, fuse, true, nullptr);
}

Result<std::vector<ReportedValue>> values_of_job(const Registry& registry, const Job& job) {
  SourceClasses classes;
  PLAIT_ASSIGN(const Network measured, shape_for(registry, job, false, false, &classes));
  return evaluation_values(registry, measured, classes);
}

Status check_shapes(const Registry& registry, const Job& job) {
  if (job.is_stages_only())
    return StageChain::open(registry, job, StageChain::When::kBeforeTraining).status();
  return shape_job(registry, job, false).status();
}

std::string program_identity() {
  const auto digest = KnownDigests().of({"/proc/self/exe"}).front();
  return version_text() + ", sha256 " + (digest ? *digest : "not known");
}

std::string mpi_module_path() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "lib" / "plait" / "plait_mpi.so").string();
}

}  // namespace plait::inline cli
