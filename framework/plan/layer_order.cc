#include "plan/layer_order.h"

#include <map>

namespace plait {
namespace {

class Walk {
 public:
  explicit Walk(const Job& job) : job_(job), state_(job.layers.size(), State::kNew) {
    for (size_t i = 0; i < job.layers.size(); ++i) by_name_[job.layers[i].name] = static_cast<int>(i);
  }
  Status visit(int layer) {
    State& state = state_[static_cast<size_t>(layer)];
    if (state == State::kDone) return {};
    path_.push_back(layer);
    if (state == State::kOpen) return cycle(layer);
    state = State::kOpen;
    for (const InputRef& input : job_.layers[static_cast<size_t>(layer)].inputs) {
      auto found = by_name_.find(input.layer);
      if (found != by_name_.end()) PLAIT_TRY(visit(found->second));
    }
    state_[static_cast<size_t>(layer)] = State::kDone;
    path_.pop_back();
    order_.push_back(layer);
    return {};
  }
  std::vector<int> take() { return std::move(order_); }

 private:
  enum class State { kNew, kOpen, kDone };
  Status cycle(int layer) const {
    std::string text;
    bool inside = false;
    for (int step : path_) {
      inside = inside || step == layer;
      if (inside)
        text += (text.empty() ? "\"" : " <- \"") + job_.layers[static_cast<size_t>(step)].name + "\"";
    }
    return {Code::kInvalid,
            layer_place(job_.layers[static_cast<size_t>(layer)]) + ": the layers form a cycle: " + text};
  }
  const Job& job_;
  std::map<std::string, int> by_name_;
  std::vector<State> state_;
  std::vector<int> path_, order_;
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

}  // namespace plait
