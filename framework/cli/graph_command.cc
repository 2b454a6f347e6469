#include <fmt/format.h>

#include "cli/command.h"
#include "cli/session.h"
#include "plan/table.h"
#include "report/output.h"

namespace plait {
namespace po = boost::program_options;
namespace {

std::string quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return quoted + "\"";
}

// A row for each stage: what its records go through.
std::string stages_dot(const Job& job) {
  if (job.stages.empty()) return "";
  std::string text = "digraph stages {\n  rankdir=LR;\n  node [shape=box];\n";
  for (size_t i = 0; i < job.stages.size(); ++i) {
    const StageSpec& stage = job.stages[i];
    std::vector<std::string> boxes = {stage.source    ? stage.source.entry->short_name()
                                      : stage.network ? "trained network"
                                                      : "stage " + stage.from};
    for (const PluginSpec& plugin : stage.preprocess) boxes.push_back(plugin.entry->short_name());
    boxes.push_back(stage.task.entry->short_name());
    if (stage.combiner) boxes.push_back(stage.combiner.entry->short_name());
    if (stage.reducer) boxes.push_back(stage.reducer.entry->short_name());
    boxes.push_back(stage.sink.entry->short_name() + " " + stage.output);
    text += fmt::format("  subgraph cluster_{} {{\n    label={};\n", i, quoted(stage.name));
    for (size_t k = 0; k < boxes.size(); ++k) {
      text += fmt::format("    s{}_{} [label={}];\n", i, k, quoted(boxes[k]));
      if (k > 0) text += fmt::format("    s{0}_{1} -> s{0}_{2};\n", i, k - 1, k);
    }
    text += "  }\n";
  }
  return text + "}\n";
}

Result<int> run(const po::variables_map& given) {
  if (!given.count("file")) return {Code::kUsage, "graph: wanted a pipeline file"};
  PLAIT_ASSIGN(const Session session, load_session(given, given["file"].as<std::string>()));
  print(stages_dot(session.job));
  if (session.job.is_stages_only()) return kExitOk;
  PLAIT_ASSIGN(const Network network, shape_job(session, given.count("layers") == 0));
  print(network_dot(network));
  return kExitOk;
}

}  // namespace

Command graph_command() {
  Command command{"graph", "FILE [options]", "write stages and network as Graphviz dot", {}, {"file"}, run};
  command.options.add_options()("file", po::value<std::string>()->value_name("FILE"), "the pipeline file")(
      "layers", "a box for each layer, fused or not");
  command.options.add(job_options());
  return command;
}

}  // namespace plait
