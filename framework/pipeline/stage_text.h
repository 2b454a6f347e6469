// What a pretrainer builds (plait_stage_builder), as the text of a stage.
#pragma once
#include <plait/pretrain_task.h>

#include <string>
#include <vector>

#include "pipeline/job.h"
#include "registry/block.h"

namespace plait::inline pipeline {

// An array of a task, and what begins with it.
struct TakenArray {
  std::string layer, parameter, array;
};

// One answer of a pretrainer. Its text is in the language of pipeline files and is checked as such by
// parse_stage.
class StageText {
 public:
  // Copies are of the layers of `job`. Both outlive this, which does not move.
  StageText(const Registry& registry, const Job& job);
  StageText(const StageText&) = delete;
  StageText& operator=(const StageText&) = delete;

  const plait_stage_builder* raw() const { return &raw_; }
  // What next_stage's context answers for PLAIT_EXTENSION_PRETRAIN_TASK.
  static const plait_pretrain_task* tasks();
  bool has_begun() const { return has_begun_; }
  const std::string& title() const { return title_; }
  const std::string& text() const { return text_; }
  // Whether it runs a task and trains nothing, and which arrays of it the network's layers get.
  bool is_task() const { return !task_.empty(); }
  const std::vector<TakenArray>& taken() const { return taken_; }
  // The first thing that could not be taken, with the reason: the plugin need not have told it.
  const Status& refused() const { return refused_; }

 private:
  int prepare(const plait_block* augmenter);
  int task(const std::string& input, const plait_block* block);
  int take(const TakenArray& taken);
  int refuse(const std::string& what);
  int write(const std::string& what, const Result<std::string>& line);
  Result<std::string> copy_text(const plait_layer_copy& copy) const;
  Result<std::string> new_layer_text(const char* name, uint32_t n_inputs, const char* const* inputs,
                                     const Result<std::string>& plugin) const;
  Result<std::string> block_text(const plait_block* block, const char* kind) const;
  Result<std::string> settings_text(const TypeEntry& entry, const std::vector<Setting>& settings) const;
  Result<std::string> corruption_text(const std::string& noise, double amount) const;
  Status check_layer_name(const char* name) const;

  const Registry& registry_;
  const Job& job_;
  plait_stage_builder raw_{};
  bool has_begun_ = false, has_optimizer_ = false, has_length_ = false;
  std::string title_, text_;
  std::vector<std::string> copied_;  // names of layers
  std::string prepared_;             // augmenters of a task
  std::string task_;                 // its block
  std::vector<TakenArray> taken_;
  Status refused_;
};

}  // namespace plait::inline pipeline
