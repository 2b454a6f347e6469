// Layers that begin with arrays of files: layer { ... init { file: "filters.npy" } }.
#pragma once
#include "pipeline/job.h"
#include "plan/network.h"
#include "registry/registry.h"
#include "train/weights_file.h"

namespace plait::inline train {

// Arrays are in the parameter's plain order, and of its shape. Of a .safetensors file the tensor of init's
// `array`, else of the name LAYER.PARAMETER or PARAMETER, else the only one. Any other file is opened by the
// source that its ending means: its records are the rows.
// Fails with: kInvalid naming both places where there is no such array, or it has another shape; kNumeric for
// a number that no weight can be; what reading reports.
Result<NamedTensors> init_from_files(const Registry& registry, const Job& job, const Network& network);

}  // namespace plait::inline train
