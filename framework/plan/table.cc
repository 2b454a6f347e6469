#include "plan/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace plait::inline plan {
namespace {

// 1234567 -> "1.23M"
std::string short_number(double value) {
  static constexpr const char* kUnits[] = {"", "k", "M", "G", "T"};
  size_t unit = 0;
  while (value >= 1000 && unit < 4) value /= 1000, ++unit;
  return unit == 0 ? fmt::format("{:.0f}", value) : fmt::format("{:.2f}{}", value, kUnits[unit]);
}

std::string kib(double bytes) { return fmt::format("{:.1f} KiB", bytes / 1024); }

// What is asked for each layer, found once: a network may have a hundred thousand.
struct NetworkIndex {
  std::vector<uint64_t> own_parameters;  // of a node
  std::map<std::string, size_t> tensors;

  explicit NetworkIndex(const Network& network) : own_parameters(network.nodes.size()) {
    for (const ParameterInfo& info : network.parameters)
      if (info.node >= 0 && !info.buffer) own_parameters[static_cast<size_t>(info.node)] += info.elements;
    for (size_t i = 0; i < network.tensors.size(); ++i) tensors.emplace(network.tensors[i].name, i);
  }
};

uint64_t output_bytes(const Network& network, const NodeInfo& node) {
  uint64_t bytes = 0;
  for (int output : node.outputs) bytes += byte_count(network.tensors[static_cast<size_t>(output)].spec);
  return bytes;
}

// The outputs of node i as they were inferred: an absorbing node's own tensor is under its own name.
std::string shape_of(const Network& network, const NetworkIndex& index, const NodeInfo& node) {
  std::string text = shape_text(network.tensors[index.tensors.at(node.layer->name)].spec);
  for (size_t i = 1; i < node.outputs.size(); ++i)
    text += " " + shape_text(network.tensors[static_cast<size_t>(node.outputs[i])].spec);
  return text;
}

struct Row {
  std::string name, type, shape, parameters, multiply_adds, memory;
};

Row row_of(const Network& network, const NetworkIndex& index, size_t number) {
  const NodeInfo& node = network.nodes[number];
  Row row;
  row.name = node.layer->name;
  row.type = node.layer->plugin.entry->short_name();
  if (!node.layer->ranges.empty()) row.type += " (int8)";
  row.shape = shape_of(network, index, node);
  row.parameters = std::to_string(index.own_parameters[number]);
  if (node.frozen) row.parameters += " (frozen)";
  if (!node.layer->shares.empty()) row.parameters = "of " + node.layer->shares;
  row.multiply_adds = short_number(node.multiply_adds / std::max(network.batch, 1));
  row.memory = node.absorbed_by >= 0
                   ? "in " + network.nodes[static_cast<size_t>(node.absorbed_by)].layer->name
                   : kib(static_cast<double>(output_bytes(network, node)));
  return row;
}

std::string render(const std::vector<Row>& rows) {
  auto width = [&](std::string Row::*column) {
    size_t widest = 0;
    for (const Row& row : rows) widest = std::max(widest, (row.*column).size());
    return widest;
  };
  const size_t name = width(&Row::name), type = width(&Row::type), shape = width(&Row::shape),
               parameters = width(&Row::parameters), adds = width(&Row::multiply_adds),
               memory = width(&Row::memory);
  std::string text;
  for (const Row& row : rows)
    text += fmt::format("{:<{}}  {:<{}}  {:<{}}  {:>{}}  {:>{}}  {:>{}}\n", row.name, name, row.type, type,
                        row.shape, shape, row.parameters, parameters, row.multiply_adds, adds, row.memory,
                        memory);
  return text;
}

std::string totals(const Network& network) {
  double adds = 0;
  for (const NodeInfo& node : network.nodes) adds += node.multiply_adds;
  return fmt::format("\n{} parameters; {} multiply-adds a sample forward\n", network.parameter_elements(),
                     short_number(adds / std::max(network.batch, 1)));
}

// Of a network in bf16: which layers are not.
std::string precision_text(const Network& network) {
  if (network.precision != Precision::kBf16) return "";
  std::string names;
  for (const NodeInfo& node : network.nodes) {
    const auto written = static_cast<size_t>(node.outputs.front());
    if (node.converts || network.tensors[written].spec.dtype == PLAIT_BF16) continue;
    names += (names.empty() ? "" : ", ") + node.layer->name;
  }
  if (names.empty()) return "precision bf16: all layers compute in it\n";
  return fmt::format("precision bf16, except layers that stay in f32: {}\n", names);
}

}  // namespace

std::string network_table(const Network& network) {
  std::vector<Row> rows = {{"layer", "type", "output", "parameters", "multiply-adds", "memory"}};
  for (const TensorInfo& tensor : network.tensors)
    if (tensor.part >= 0) rows.push_back({tensor.name, "(sample)", shape_text(tensor.spec), "", "", ""});
  const NetworkIndex index(network);
  for (size_t i = 0; i < network.nodes.size(); ++i)
    if (!network.nodes[i].converts) rows.push_back(row_of(network, index, i));
  return render(rows) + totals(network) + precision_text(network);
}

std::string memory_text(uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (value < 1 << 20) return fmt::format("{:.1f} KiB", value / 1024);
  if (value < 1 << 30) return fmt::format("{:.1f} MiB", value / (1 << 20));
  return fmt::format("{:.2f} GiB", value / (1 << 30));
}

std::string memory_table(const RunMemory& use, int threads) {
  RunMemory without = use;
  without.stages = 0;
  std::string text = fmt::format("memory: {} {} a rank of {} thread{}\n",
                                 use.total() > without.total() ? "at most" : "about",
                                 memory_text(use.total()), threads, threads == 1 ? "" : "s");
  const auto line = [&](uint64_t bytes, const std::string& what) {
    if (bytes > 0) text += fmt::format("  {:>10}  {}\n", memory_text(bytes), what);
  };
  const std::string replicas = fmt::format("{} replica{}", use.workers, use.workers == 1 ? "" : "s");
  line(use.process, "program, plugins and data, as this process has them now");
  line(use.weights, "weights and buffers");
  line(use.slots, "optimizer slots");
  line(use.mean, "mean of a round");
  line(use.sums, "sums of the shards");
  line(use.replicas, replicas + ": weights, gradients, slots");
  line(use.activations, replicas + ": activations, their gradients and workspace");
  line(use.batches, replicas + ": batches");
  line(use.evaluation, "validation, while it runs");
  line(use.test, "test, when training has ended");
  line(use.stages, "the largest stage, while it runs, at most");
  line(use.scratch, "one parameter in the order of files, while a checkpoint is written");
  line(use.exchange, "more a rank where there are several, while they exchange sums, at most");
  return text;
}

}  // namespace plait::inline plan
