#include <thread>

#include "cli/command.h"
#include "cli/session.h"
#include "plan/table.h"
#include "report/output.h"
#include "train/check_job.h"

namespace plait {
namespace po = boost::program_options;
namespace {

// Usable cores are at most shards x lanes.
std::string core_note(const Job& job) {
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  const int usable = job.train.shards * job.train.lanes;
  if (cores <= usable) return "";
  return "note: this machine has " + std::to_string(cores) + " cores; " + std::to_string(job.train.shards) +
         " shards of " + std::to_string(job.train.lanes) + " lanes use at most " + std::to_string(usable) +
         "\n";
}

Result<int> run(const po::variables_map& given) {
  if (!given.count("file")) return {Code::kUsage, "check: wanted a pipeline file"};
  PLAIT_ASSIGN(const Session session, load_session(given, given["file"].as<std::string>()));
  PLAIT_ASSIGN(const Network network, shape_job(session, true));
  PLAIT_ASSIGN(const int slots, optimizer_slots(session));
  PLAIT_TRY(check_training(*session.registry, session.job));
  print(network_table(network, slots) + core_note(session.job));
  return kExitOk;
}

}  // namespace

Command check_command() {
  Command command{"check", "FILE [options]", "check a job and show its layers, without training",
                  {},      {"file"},         run};
  command.options.add_options()("file", po::value<std::string>()->value_name("FILE"), "the pipeline file");
  command.options.add(job_options());
  return command;
}

}  // namespace plait
