#include "cli/command.h"
#include "cli/session.h"
#include "plan/table.h"
#include "report/output.h"

namespace plait {
namespace po = boost::program_options;
namespace {

Result<int> run(const po::variables_map& given) {
  if (!given.count("file")) return {Code::kUsage, "graph: wanted a pipeline file"};
  PLAIT_ASSIGN(const Session session, load_session(given, given["file"].as<std::string>()));
  PLAIT_ASSIGN(const Network network, shape_job(session, given.count("layers") == 0));
  print(network_dot(network));
  return kExitOk;
}

}  // namespace

Command graph_command() {
  Command command{"graph", "FILE [options]", "write the network as Graphviz dot", {}, {"file"}, run};
  command.options.add_options()("file", po::value<std::string>()->value_name("FILE"), "the pipeline file")(
      "layers", "a box for each layer, fused or not");
  command.options.add(job_options());
  return command;
}

}  // namespace plait
