#include "pipeline/stage_order.h"

#include <algorithm>
#include <map>
#include <string>

namespace plait::inline pipeline {
namespace {

class StageOrder {
 public:
  StageOrder(Job& job, const std::vector<Place>& places, Errors& errors)
      : stages_(job.stages), places_(places), errors_(errors), marks_(stages_.size(), Mark::kNew) {}

  void run() {
    for (size_t i = 0; i < stages_.size(); ++i)
      if (!visit(i)) return;
    std::vector<StageSpec> ordered;
    for (const size_t i : order_) ordered.push_back(std::move(stages_[i]));
    stages_ = std::move(ordered);
  }

 private:
  enum class Mark { kNew, kOpen, kDone };

  bool visit(size_t i) {
    if (marks_[i] == Mark::kDone) return true;
    path_.push_back(i);
    if (marks_[i] == Mark::kOpen) return tell_circle(i);
    marks_[i] = Mark::kOpen;
    for (const StageArrays* used : stages_[i].used_stages()) {
      const auto found =
          std::ranges::find_if(stages_, [&](const StageSpec& one) { return one.arrays.get() == used; });
      if (found != stages_.end() && !visit(static_cast<size_t>(found - stages_.begin()))) return false;
    }
    path_.pop_back();
    marks_[i] = Mark::kDone;
    order_.push_back(i);
    return true;
  }

  bool tell_circle(size_t i) {
    std::string circle;
    for (auto at = std::ranges::find(path_, i); at != path_.end(); ++at)
      circle += (circle.empty() ? "" : " -> ") + stages_[*at].name;
    errors_.add(places_[i], "stages use each other's arrays in a circle: " + circle,
                "each stage runs after those that it uses");
    return false;
  }

  std::vector<StageSpec>& stages_;
  const std::vector<Place>& places_;
  Errors& errors_;
  std::vector<Mark> marks_;
  std::vector<size_t> path_, order_;
};

struct TrainingUse {
  const StageArrays* arrays;
  Location where;
};

std::vector<TrainingUse> used_by_training(const Job& job) {
  std::vector<TrainingUse> all;
  const auto add = [&](const std::vector<PluginSpec>& plugins) {
    for (const PluginSpec& spec : plugins) {
      std::vector<const StageArrays*> used;
      if (spec) add_stages(*spec.config, used);
      for (const StageArrays* one : used) all.push_back({one, spec.where});
    }
  };
  add({job.source, job.validation, job.test});
  add(job.augment);
  add(job.preprocess);
  for (const PretrainSpec& pretrain : job.pretrain) {
    add({pretrain.source});
    add(pretrain.augment);
    add(pretrain.preprocess);
  }
  for (const LayerSpec& layer : job.layers)
    for (const InitSpec& init : layer.init)
      if (init.stage) all.push_back({init.stage.get(), init.where});
  return all;
}

// The stages are in order.
void note_after_training(Job& job) {
  std::vector<const StageArrays*> late;
  for (StageSpec& stage : job.stages) {
    const auto used = stage.used_stages();
    stage.is_after_training =
        stage.network.has_value() || std::ranges::any_of(used, [&](const StageArrays* one) {
          return std::ranges::find(late, one) != late.end();
        });
    if (stage.is_after_training && stage.arrays != nullptr) late.push_back(stage.arrays.get());
  }
}

void check_before_training(const Job& job, const std::map<std::string, Place>& places, Errors& errors) {
  for (const TrainingUse& use : used_by_training(job)) {
    for (const StageSpec& stage : job.stages) {
      if (stage.arrays.get() != use.arrays || !stage.is_after_training) continue;
      errors.add(places.at(stage.name), "stage \"" + stage.name +
                                            "\" waits for the trained network, and training uses it (" +
                                            use.where.place_text() + ")");
    }
  }
}

// What a stage gives the network is settled before anything is trained.
void check_given_to_network(const Job& job, const std::map<std::string, Place>& places, Errors& errors) {
  for (const StageSpec& stage : job.stages) {
    if (!stage.network || stage.is_task()) continue;
    std::vector<const StageArrays*> used;
    for (const auto* operators : {&stage.augment, &stage.preprocess})
      for (const PluginSpec& spec : *operators)
        if (spec) add_stages(*spec.config, used);
    for (const StageSpec& late : job.stages)
      if (late.is_after_training && std::ranges::find(used, late.arrays.get()) != used.end())
        errors.add(places.at(stage.name),
                   "stage \"" + late.name + "\" waits for the trained network, and stage \"" + stage.name +
                       "\" prepares by it what the network reads",
                   "wanted there what is known before training");
  }
}

void note_used(Job& job) {
  std::vector<const StageArrays*> used = arrays_for_training(job);
  for (const StageSpec& stage : job.stages)
    for (const StageArrays* one : stage.used_stages()) used.push_back(one);
  for (StageSpec& stage : job.stages)
    stage.is_used = stage.arrays != nullptr && std::ranges::find(used, stage.arrays.get()) != used.end();
}

}  // namespace

std::vector<const StageArrays*> StageSpec::used_stages() const {
  std::vector<const StageArrays*> used;
  if (from_network != nullptr) used.push_back(from_network.get());
  if (source) add_stages(*source.config, used);
  for (const auto* operators : {&augment, &preprocess})
    for (const PluginSpec& spec : *operators)
      if (spec) add_stages(*spec.config, used);
  if (task) add_stages(*task.config, used);
  return used;
}

std::vector<const StageArrays*> arrays_for_training(const Job& job) {
  std::vector<const StageArrays*> all;
  for (const TrainingUse& use : used_by_training(job)) all.push_back(use.arrays);
  return all;
}

std::string StageSpec::does() const {
  if (is_task()) return task.id();
  return verb == Verb::kEvaluate ? "evaluate" : verb == Verb::kPredict ? "predict" : "features";
}

void order_stages(Job& job, const std::vector<Place>& places, Errors& errors) {
  note_used(job);
  for (size_t i = 0; i < job.stages.size(); ++i) {
    const StageSpec& stage = job.stages[i];
    const std::string wanted = stage.is_keyed() ? ".tsv" : ".safetensors";
    if (stage.is_used && !stage.output.ends_with(wanted))
      errors.add(places[i],
                 std::string(stage.is_keyed() ? "the pairs" : "the arrays") + " of stage \"" + stage.name +
                     "\" are used, and its output \"" + stage.output + "\" cannot keep them for it",
                 "as in: output: \"" + stage.name + wanted + "\", the default");
  }
  std::map<std::string, Place> place_of;  // the order is about to change
  for (size_t i = 0; i < job.stages.size(); ++i) place_of.emplace(job.stages[i].name, places[i]);
  StageOrder(job, places, errors).run();
  if (errors.any()) return;
  note_after_training(job);
  check_before_training(job, place_of, errors);
  check_given_to_network(job, place_of, errors);
}

}  // namespace plait::inline pipeline
