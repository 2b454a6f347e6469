// Which stages of a job use which, and the order that follows from it.
#pragma once
#include <vector>

#include "pipeline/errors.h"
#include "pipeline/job.h"

namespace plait::inline pipeline {

// Puts each stage after those that it uses, else as written, and notes which are used, and which have to
// wait for the trained network. `places` of the stages, as written. Errors: stages that use each other in a
// circle (named); a used stage whose output is no .safetensors file, of pairs no .tsv, which is what keeps
// it; training that uses a stage which waits for it.
void order_stages(Job& job, const std::vector<Place>& places, Errors& errors);

// What stages make that the training of the job uses: its records, what they are prepared by, where layers
// begin.
std::vector<const StageArrays*> arrays_for_training(const Job& job);

}  // namespace plait::inline pipeline
