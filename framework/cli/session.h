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

namespace plait {

// --plugin, --set, --var, --del
boost::program_options::options_description job_options();
boost::program_options::options_description plugin_options();

struct Session {
  std::unique_ptr<Registry> registry;  // outlives the job
  Job job;
};

// The registry from --plugin and the environment (and what the file itself names).
Result<std::unique_ptr<Registry>> load_registry(const boost::program_options::variables_map& given,
                                                const PluginScan& scan = {});

// Fails with: kUsage when no file is given or a --var or --set has no "=".
Result<Session> load_session(const boost::program_options::variables_map& given, const std::string& file,
                             bool for_training = true);

// Opens the job's training source (or, without one, its test source) for its parts and shapes the network.
Result<Network> shape_job(const Session& session, bool fuse);

// Slots of the job's optimizer, 0 without one.
Result<int> optimizer_slots(const Session& session);

// "<program's folder>/../lib/plait/plait_mpi.so"
std::string mpi_module_path();

}  // namespace plait
