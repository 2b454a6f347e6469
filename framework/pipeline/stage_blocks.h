// The blocks stage { } of a file: tasks over records, what is done with the trained network, and the long
// form of training, pretraining and test.
#pragma once
#include <functional>
#include <vector>

#include "pipeline/block_reader.h"
#include "pipeline/stage_names.h"

namespace plait::inline pipeline {

// Stages of a file by their names, before anything is read: fields of other blocks name them.
StageNames named_stages(const Schema& schema, const std::vector<Scope>& stages);

// What a file says beside its stages: a block that a stage { train { } } has too is written once.
struct JobBlocks {
  std::function<std::vector<Scope>(const char* block)> scopes;
  std::function<void(const Scope& train)> take_train;  // whose values are checked
};

// Fills job.stages, in their order, job.pretrain, and of training what is in stages. The job's layers,
// losses and metrics are there.
// Errors: a stage that does nothing or two things; blocks that what it does has no use for; two stages of
// a name, of an output, or that train; and those of order_stages.
void read_stages(const BlockReader& reader, const std::vector<Scope>& stages, const StageNames& names,
                 const JobBlocks& blocks, Job& job);

}  // namespace plait::inline pipeline
