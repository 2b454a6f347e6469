// The validations that a stage has made, as its schedules look back at them.
#pragma once
#include <plait/abi.h>

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace plait::inline graph {

// Threads: add [one at a time]; the rest [any], not while add is under way.
class EvaluationHistory {
 public:
  // Valid until the next add.
  using View = std::span<const plait_evaluation* const>;
  EvaluationHistory() = default;
  EvaluationHistory(const EvaluationHistory&) = delete;
  EvaluationHistory& operator=(const EvaluationHistory&) = delete;

  void add(const std::string& name, bool higher_is_better, int64_t step, double value);
  // Oldest first.
  View all() const { return all_; }
  // Of one value; empty where it was never added. Does not allocate.
  View of(const std::string& name) const;

 private:
  std::deque<plait_evaluation> made_;
  std::vector<const plait_evaluation*> all_;
  std::map<std::string, std::vector<const plait_evaluation*>> by_name_;  // keys are what `name` points to
};

}  // namespace plait::inline graph
