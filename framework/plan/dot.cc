#include <fmt/format.h>

#include <map>

#include "plan/table.h"

namespace plait::inline plan {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + "\"";
}

class Dot {
 public:
  explicit Dot(const Network& network) : network_(network) {
    for (const NodeInfo& node : network.nodes) absorbed_.emplace(node.absorbed_by, &node);
  }

  std::string run() {
    text_ = "digraph " + quoted(network_.name) +
            " {\n  rankdir=TB;\n  node [shape=box, fontname=\"Helvetica\"];\n";
    for (const TensorInfo& tensor : network_.tensors)
      if (tensor.part >= 0) node("part " + tensor.name, tensor.name, "ellipse");
    for (size_t i = 0; i < network_.nodes.size(); ++i) layer(i);
    for (const HeadInfo& head : network_.losses) add_head(head, "loss");
    for (const HeadInfo& head : network_.metrics) add_head(head, "metric");
    return text_ + "}\n";
  }

 private:
  void node(const std::string& id, const std::string& label, const char* shape) {
    text_ += fmt::format("  {} [label={}, shape={}];\n", quoted(id), quoted(label), shape);
  }
  void edge(int tensor, const std::string& to, const char* style) {
    const TensorInfo& info = network_.tensors[static_cast<size_t>(network_.unconverted(tensor))];
    text_ += fmt::format("  {} -> {} [label={}, style={}];\n", quoted(writer(info)), quoted(to),
                         quoted(shape_text(info.spec)), style);
  }
  std::string writer(const TensorInfo& tensor) const {
    return tensor.node < 0 ? "part " + tensor.name
                           : network_.nodes[static_cast<size_t>(tensor.node)].layer->name;
  }
  // One box for a layer and what it has absorbed.
  void layer(size_t number) {
    const NodeInfo& info = network_.nodes[number];
    if (info.absorbed_by >= 0 || info.converts) return;
    std::string label = info.layer->name + " " + info.layer->plugin.entry->short_name();
    const auto [first, last] = absorbed_.equal_range(static_cast<int>(number));
    for (auto at = first; at != last; ++at)
      label += " + " + at->second->layer->name + " " + at->second->layer->plugin.entry->short_name();
    node(info.layer->name, label, "box");
    for (int input : info.inputs) edge(input, info.layer->name, "solid");
  }
  void add_head(const HeadInfo& head, const char* what) {
    const std::string id = std::string(what) + " " + head.name;
    node(id, id, "octagon");
    for (const int input : head.inputs) edge(input, id, "solid");
    for (const int target : head.targets) edge(target, id, "dashed");
    if (head.weights >= 0) edge(head.weights, id, "dotted");
  }
  const Network& network_;
  std::multimap<int, const NodeInfo*> absorbed_;  // by the node that absorbed them, in order
  std::string text_;
};

}  // namespace

std::string network_dot(const Network& network) { return Dot(network).run(); }

}  // namespace plait::inline plan
