#include "graph/evaluation_history.h"

namespace plait::inline graph {

void EvaluationHistory::add(const std::string& name, bool higher_is_better, int64_t step, double value) {
  const auto series = by_name_.try_emplace(name).first;
  plait_evaluation one{};
  one.struct_size = sizeof one;
  one.higher_is_better = higher_is_better ? 1 : 0;
  one.name = series->first.c_str();
  one.step = step;
  one.value = value;
  const plait_evaluation* const kept = &made_.emplace_back(one);
  all_.push_back(kept);
  series->second.push_back(kept);
}

EvaluationHistory::View EvaluationHistory::of(const std::string& name) const {
  const auto series = by_name_.find(name);
  return series == by_name_.end() ? View() : View(series->second);
}

}  // namespace plait::inline graph
