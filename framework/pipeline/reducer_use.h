// The two things that reducers reduce, which a hint must tell apart: the shards of training, and the values
// of a key.
#pragma once
#include "pipeline/schema_builder.h"

namespace plait::inline pipeline {

enum class ReducerUse {
  kAny,     // it is not known which
  kShards,  // of the job, and of a stage that trains
  kKeys,    // of a stage of a task
};

// Of the reducer in a block `message`, the job or a stage; `trains`: a train block is beside it.
ReducerUse reducer_use(const pb::Descriptor* message, bool trains);

// Whether a type can be used so; of other kinds than reducers, always.
bool fits(const TypeEntry& type, ReducerUse use);

}  // namespace plait::inline pipeline
