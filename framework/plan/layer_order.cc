#include "plan/layer_order.h"

#include <map>

namespace plait::inline plan {
namespace {

class Walk {
 public:
  explicit Walk(const Job& job) : job_(job), state_(job.layers.size(), State::kNew) {
    for (size_t i = 0; i < job.layers.size(); ++i) by_name_[job.layers[i].name] = static_cast<int>(i);
  }
  // Without recursion: a network may be a hundred thousand layers deep, and written from its end.
  Status visit(int start) {
    if (state_of(start) == State::kDone) return {};
    open(start);
    while (!path_.empty()) {
      auto& [layer, next_input] = path_.back();
      const auto& inputs = job_.layers[static_cast<size_t>(layer)].inputs;
      if (next_input == inputs.size()) {
        close(layer);
        continue;
      }
      const auto found = by_name_.find(inputs[next_input++].layer);
      if (found == by_name_.end() || state_of(found->second) == State::kDone) continue;
      if (state_of(found->second) == State::kOpen) return cycle(found->second);
      open(found->second);
    }
    return {};
  }
  std::vector<int> take() { return std::move(order_); }

 private:
  enum class State { kNew, kOpen, kDone };
  struct Step {
    int layer;
    size_t next_input;  // to follow
  };
  State& state_of(int layer) { return state_[static_cast<size_t>(layer)]; }
  void open(int layer) {
    state_of(layer) = State::kOpen;
    path_.push_back({layer, 0});
  }
  void close(int layer) {
    state_of(layer) = State::kDone;
    path_.pop_back();
    order_.push_back(layer);
  }

  Status cycle(int layer) const {
    std::string text;
    bool inside = false;
    const auto name = [&](int step) { return "\"" + job_.layers[static_cast<size_t>(step)].name + "\""; };
    for (const Step& step : path_) {
      inside = inside || step.layer == layer;
      if (inside) text += name(step.layer) + " <- ";
    }
    text += name(layer);
    return {Code::kInvalid,
            layer_place(job_.layers[static_cast<size_t>(layer)]) + ": the layers form a cycle: " + text};
  }
  const Job& job_;
  std::map<std::string, int> by_name_;
  std::vector<State> state_;
  std::vector<Step> path_;
  std::vector<int> order_;
};

}  // namespace

std::string layer_place(const LayerSpec& layer) {
  return layer.plugin.entry->short_name() + " \"" + layer.name + "\" (" + layer.where.text() + ")";
}

Result<std::vector<int>> layer_order(const Job& job) {
  Walk walk(job);
  for (size_t i = 0; i < job.layers.size(); ++i) PLAIT_TRY(walk.visit(static_cast<int>(i)));
  return walk.take();
}

}  // namespace plait::inline plan
