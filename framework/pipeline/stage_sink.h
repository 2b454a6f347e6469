// What a stage writes, and by which sink.
#pragma once
#include "pipeline/configure.h"

namespace plait::inline pipeline {

// The output lies in the run's folder, beside what a run itself writes there.
// Errors: a name that is too long, has folders or begins with a dot; a file of the run's own.
void check_output(const StageSpec& stage, const Scope& scope, Errors& errors);

// Where the file writes no sink (`is_written`), stage.sink becomes the one that is for such an output.
// Errors: no sink is, or more than one; the sink that is written is not; it cannot write what the task makes.
void choose_sink(StageSpec& stage, const Scope& scope, bool is_written, Errors& errors);

}  // namespace plait::inline pipeline
