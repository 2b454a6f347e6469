#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/session.h"
#include "pipeline/stage_order.h"
#include "pipeline/stage_source.h"
#include "plan/table.h"
#include "report/output.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

std::string quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return quoted + "\"";
}

// What the records of a stage go through.
struct Row {
  std::string name;
  std::vector<std::string> boxes = {};
  const StageArrays* makes = nullptr;
  std::vector<const StageArrays*> uses = {};
  bool trains = false, uses_network = false;  // the trained one
  void add(const PluginSpec& plugin) {
    if (!plugin) return;
    boxes.push_back(is_stage_source(plugin) ? "stage " + stage_of(plugin) : plugin.entry->short_name());
  }
  void add(const std::vector<PluginSpec>& plugins) {
    for (const PluginSpec& plugin : plugins) add(plugin);
  }
};

Row row_of(const StageSpec& stage) {
  Row row{stage.name};
  row.makes = stage.arrays.get();
  row.uses = stage.used_stages();
  row.uses_network = stage.network.has_value();
  row.add(stage.source);
  const std::string on = stage.network ? stage.network->on : "";
  if (!on.empty()) row.boxes.push_back(on + " records");
  if (stage.is_task() && stage.network) row.boxes.push_back("trained network");
  row.add(stage.augment);
  row.add(stage.preprocess);
  row.add(stage.task);
  if (!stage.is_task()) row.boxes.push_back("trained network"), row.boxes.push_back(stage.does());
  row.add(stage.combiner);
  row.add(stage.reducer);
  row.boxes.push_back((stage.sink ? stage.sink.entry->short_name() + " " : "") + stage.output);
  return row;
}

// The steps of a job as its long form has them.
std::vector<Row> rows_of(const Job& job) {
  std::vector<Row> rows;
  for (const StageSpec& stage : job.stages)
    if (!stage.is_after_training) rows.push_back(row_of(stage));
  if (job.is_stages_only()) return rows;
  for (const PretrainSpec& pretrain : job.pretrain) {
    Row& row = rows.emplace_back(Row{pretrain.name.empty() ? "pretrain" : pretrain.name});
    row.add(pretrain.source ? pretrain.source : job.source);
    row.add(pretrain.augment.empty() ? job.augment : pretrain.augment);
    row.add(pretrain.preprocess.empty() ? job.preprocess : pretrain.preprocess);
    row.add(pretrain.plugin);
  }
  Row& train = rows.emplace_back(Row{"train"});
  train.uses = arrays_for_training(job);
  train.trains = true;
  train.add(job.source);
  train.add(job.augment);
  train.add(job.preprocess);
  train.boxes.push_back("network");
  train.add(job.reducer);
  train.boxes.push_back("weights.safetensors");
  if (job.test) {
    Row& test = rows.emplace_back(Row{"test"});
    test.uses_network = true;
    test.add(job.test);
    test.add(job.preprocess);
    test.boxes.insert(test.boxes.end(), {"trained network", "evaluate"});
  }
  for (const StageSpec& stage : job.stages)
    if (stage.is_after_training) rows.push_back(row_of(stage));
  return rows;
}

// From the last box of what is used to the first of each that uses it.
std::string edges_between(const std::vector<Row>& rows) {
  std::string text;
  const auto join = [&](size_t from, size_t to) {
    text += fmt::format("  s{}_{} -> s{}_0 [style=dashed];\n", from, rows[from].boxes.size() - 1, to);
  };
  for (size_t to = 0; to < rows.size(); ++to) {
    for (size_t from = 0; from < rows.size(); ++from) {
      const bool is_named = rows[from].makes != nullptr &&
                            std::ranges::find(rows[to].uses, rows[from].makes) != rows[to].uses.end();
      if (is_named || (rows[to].uses_network && rows[from].trains)) join(from, to);
    }
  }
  return text;
}

std::string stages_dot(const Job& job) {
  const std::vector<Row> rows = rows_of(job);
  std::string text = "digraph stages {\n  rankdir=LR;\n  node [shape=box];\n";
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::vector<std::string>& boxes = rows[i].boxes;
    text += fmt::format("  subgraph cluster_{} {{\n    label={};\n", i, quoted(rows[i].name));
    for (size_t k = 0; k < boxes.size(); ++k) {
      text += fmt::format("    s{}_{} [label={}];\n", i, k, quoted(boxes[k]));
      if (k > 0) text += fmt::format("    s{0}_{1} -> s{0}_{2};\n", i, k - 1, k);
    }
    text += "  }\n";
  }
  return text + edges_between(rows) + "}\n";
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

}  // namespace plait::inline cli
