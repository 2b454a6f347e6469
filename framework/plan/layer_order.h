// An order of the layers in which inputs come first, otherwise as in the file.
#pragma once
#include <vector>

#include "base/status.h"
#include "pipeline/job.h"

namespace plait::inline plan {

// Numbers of job.layers. Fails with: kInvalid naming the layers of a cycle.
Result<std::vector<int>> layer_order(const Job& job);

// "convolution \"c1\" (lenet.txtpb:14:3)"
std::string layer_place(const LayerSpec& layer);

}  // namespace plait::inline plan
