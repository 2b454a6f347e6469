// check_job: everything that run_job looks at before it trains, and what it would hold.
#pragma once
#include <string>
#include <vector>

#include "pipeline/job.h"
#include "plan/memory.h"
#include "plan/network.h"
#include "plan/step_cost.h"
#include "registry/registry.h"
#include "train/chain_stage.h"

namespace plait::inline train {

// A stage that runs a task, or uses the trained network.
struct TaskStageCheck {
  std::string name, flow, output;  // flow: see ChainStage::flow
  int64_t records = 0, tasks = 0;  // 0: known once the stage that it reads has run
  uint64_t memory_bytes = 0;       // bound of the pairs or rows that a rank holds
  bool is_keyed = true;            // of pairs; else of accumulators
  bool is_task = true;
  ChainStage::Memory memory = {};
};

struct JobCheck {
  std::vector<TaskStageCheck> task_stages;
  Network network;   // of the main training; lives as long as the job
  RunMemory memory;  // the largest of its trainings, and of its stages of tasks
  int threads = 1;   // that the memory is told for
  int64_t training_records = 0, validation_records = 0, test_records = 0;  // -1: a stage is to make them
  // Of parts that augment makes others: "label [10] f32 in training alone, measured as label [] f32".
  std::vector<std::string> changed_parts;
  std::vector<std::string> stages;      // titles of the pretraining
  std::vector<ReportedValue> reported;  // by its evaluations
  std::string monitor;                  // what picks the best weights; "" where nothing does
  std::vector<StepCost> costs;  // of a training step at the bound, then of an evaluation's where it has one
  uint64_t row_bytes = 0;       // bound of the rows that metrics keep of an evaluation; 0: none does
};

// Opens training, validation and test records, compiles the networks of all stages and of the evaluations,
// and writes nothing. `threads`: of the rank; 0: as run_job. World of one. Fails with: what run_job would
// fail with before its first step.
Result<JobCheck> check_job(const Registry& registry, const Job& job, int threads);

}  // namespace plait::inline train
