#include "plan/step_order.h"

#include <algorithm>
#include <utility>

namespace plait::inline plan {

StepOrder::StepOrder(size_t steps, size_t losses)
    : steps_(steps), losses_(losses), next_(2 * steps + losses), reach_(2 * steps + losses) {}

// From the last node to the first: backward of step 0 is the last.
void StepOrder::close() {
  const size_t nodes = next_.size(), words = (nodes + 63) / 64;
  const auto close_node = [&](size_t node) {
    std::vector<uint64_t>& reach = reach_[node];
    reach.assign(words, 0);
    for (const size_t next : next_[node]) {
      for (size_t w = 0; w < words; ++w) reach[w] |= reach_[next][w];
      reach[next / 64] |= uint64_t{1} << (next % 64);
    }
  };
  for (size_t step = 0; step < steps_; ++step) close_node(backward(step));
  for (size_t node = steps_ + losses_; node-- > 0;) close_node(node);
}

std::pair<size_t, size_t> StepOrder::nodes_at(int time) const {
  const auto at = static_cast<size_t>(time);
  if (at < steps_) return {at, at + 1};
  if (at == steps_) return {steps_, steps_ + losses_};
  const size_t node = backward(2 * steps_ - at);
  return {node, node + 1};
}

bool StepOrder::precedes(int a, int b) const {
  const int end = static_cast<int>(2 * steps_ + 1);
  if (a == end || b == end) return a != end;
  const auto [first_a, last_a] = nodes_at(a);
  const auto [first_b, last_b] = nodes_at(b);
  for (size_t from = first_a; from < last_a; ++from)
    for (size_t to = first_b; to < last_b; ++to)
      if (!reaches(from, to)) return false;
  return true;
}

bool StepOrder::all_precede(const std::vector<int>& a, const std::vector<int>& b) const {
  return std::ranges::all_of(
      a, [&](int x) { return std::ranges::all_of(b, [&](int y) { return precedes(x, y); }); });
}

bool StepOrder::apart(const std::vector<int>& a, const std::vector<int>& b) const {
  return all_precede(a, b) || all_precede(b, a);
}

// What keeps nothing from one time to the next is alive at each of them alone.
bool StepOrder::alive_together(const MemoryBlock& a, const MemoryBlock& b) const {
  if (!a.keeps)
    return !std::ranges::all_of(a.times, [&](int time) {
      return !alive_together({a.bytes, time, time, 0, true, {time}}, b);
    });
  if (!b.keeps) return alive_together(b, a);
  return !apart(a.times, b.times);
}

}  // namespace plait::inline plan
