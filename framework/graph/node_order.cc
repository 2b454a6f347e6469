#include "graph/node_order.h"

#include <algorithm>

namespace plait::inline graph {
namespace {

bool conflict(const MemoryUse& a, const MemoryUse& b) {
  return a.space == b.space && (a.write || b.write) && a.begin < b.end && b.begin < a.end;
}

bool conflict(const std::vector<MemoryUse>& a, const std::vector<MemoryUse>& b) {
  return std::ranges::any_of(a, [&](const MemoryUse& use) {
    return std::ranges::any_of(b, [&](const MemoryUse& o) { return conflict(use, o); });
  });
}

}  // namespace

std::vector<Edge> memory_order(std::span<const std::vector<MemoryUse>> uses) {
  std::vector<Edge> edges;
  std::vector<std::vector<bool>> before(uses.size(), std::vector<bool>(uses.size()));
  for (size_t node = 0; node < uses.size(); ++node) {
    for (size_t other = node; other-- > 0;) {
      if (before[node][other] || !conflict(uses[node], uses[other])) continue;
      edges.emplace_back(other, node);
      before[node][other] = true;
      for (size_t i = 0; i < other; ++i) before[node][i] = before[node][i] || before[other][i];
    }
  }
  return edges;
}

std::vector<Edge> serial_order(size_t nodes) {
  std::vector<Edge> edges;
  for (size_t node = 1; node < nodes; ++node) edges.emplace_back(node - 1, node);
  return edges;
}

}  // namespace plait::inline graph
