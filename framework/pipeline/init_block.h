// The block init { } of a layer: what it says, and its text again.
#pragma once
#include <string>

#include "pipeline/block_reader.h"
#include "pipeline/job.h"
#include "pipeline/pipeline.pb.h"
#include "pipeline/stage_names.h"

namespace plait::inline pipeline {

// Fills in what the parameter begins with. False, with an error unless one was told already: the block says
// nothing or several things, names a stage of pairs or none, an array of a distribution, or an empty range.
bool fill_init(const Scope& scope, const job::Layer::Init& written, const StageNames& stages, Errors& errors,
               InitSpec& init);

// "init { he_normal { gain: 1 fan: in } parameter: \"weight\" }". Law: it is read as it was.
std::string init_text(const InitSpec& init);

}  // namespace plait::inline pipeline
