// What most commands begin with: options that say which file, plugins and changes, and the job loaded from
// them.
#pragma once
#include <boost/program_options.hpp>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/load.h"
#include "plan/network.h"
#include "registry/registry.h"
#include "train/metric_values.h"

namespace plait::inline cli {

// --plugin, --trust, --set, --var, --del, --locked, --lock
boost::program_options::options_description job_options();
boost::program_options::options_description plugin_options();  // --plugin
boost::program_options::options_description trust_options();   // --trust
boost::program_options::options_description lock_options();    // --locked, --lock

// The words of --set, --del and --var in the order written. program.cc keeps that order beside the values:
// Boost.Program_options sorts them by option.
std::vector<JobChange> changes_of(const boost::program_options::variables_map& given);
inline constexpr char kChangesInOrder[] = "set, del and var in order";

// Fails with: kUsage when a --var or --set has no "=".
Result<JobOptions> job_options_of(const boost::program_options::variables_map& given,
                                  bool for_training = true);

struct Session {
  std::unique_ptr<Registry> registry;  // outlives the job
  Job job;
};

// Where plugins are looked for: --plugin, what the file itself names, then the environment
// (default_search_path). Fails with: kNotFound when a folder of --plugin has none; as trusted_plugins without
// --trust; as check_lock where --locked is given. Nothing is loaded, and nothing tried.
Result<SearchPath> plugin_path(const boost::program_options::variables_map& given, const PluginScan& scan);

// To be called before MPI or threads are started: what load_registry will load and has not been seen to load
// is tried in a child process, which is no more to be made then. Says nothing: load_registry and load_session
// do.
void try_new_plugins(const boost::program_options::variables_map& given, const std::string& file);

// The registry of plugin_path. What does not load, and is no error, is a line on standard error.
Result<std::unique_ptr<Registry>> load_registry(const boost::program_options::variables_map& given,
                                                const PluginScan& scan = {});

// Fails with: kUsage when no file is given or a --var or --set has no "=".
Result<Session> load_session(const boost::program_options::variables_map& given, const std::string& file,
                             bool for_training = true);

// The job of a run, with its folder's plugins.lock read for a hint where a plugin is missing. A lock in a
// folder is somebody's word: nothing is loaded because it is named there.
Result<Session> load_run(const boost::program_options::variables_map& given, const std::string& run_dir);

// Opens the job's training source (or, without one, its test source) for its parts and shapes the network.
Result<Network> shape_job(const Session& session, bool fuse);
Result<Network> shape_job(const Registry& registry, const Job& job, bool fuse);
// What its evaluations give, of records without the augment chain; opens the same source.
Result<std::vector<ReportedValue>> values_of_job(const Registry& registry, const Job& job);

// Whether the samples fit the layers; of a job of stages alone, whether the records fit the tasks. As
// shape_job it opens sources.
Status check_shapes(const Registry& registry, const Job& job);

// Version and digest of this program's file, on which ranks agree: "plait 1.0.0 (ABI ...), sha256 ...".
std::string program_identity();

// "<program's folder>/../lib/plait/plait_mpi.so"
std::string mpi_module_path();

}  // namespace plait::inline cli
