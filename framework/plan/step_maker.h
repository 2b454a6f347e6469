// Instances of layers and losses for concrete extents, and what they say they need.
#pragma once
#include <map>

#include "plan/plan.h"

namespace plait::inline plan {

struct StepNeeds {
  uint64_t saved = 0, workspace = 0, prepared = 0;  // bytes
  std::map<uint32_t, uint64_t> stored;              // elements by number of the parameter, where not plain
  uint32_t backward_reads = PLAIT_READS_INPUTS | PLAIT_READS_OUTPUTS;
  bool repeats = false;
  std::vector<uint32_t> takes_int8;  // inputs from which it can compute on 8-bit integers, or does
};

struct MadeLayer {
  LayerInstance instance;
  StepNeeds needs;
  Kernels kernels;
};

struct MadeLoss {
  LossInstance instance;
  uint64_t workspace = 0;
  bool repeats = false;
};

// How the layer of a node is called.
uint32_t mode_of(const NodeInfo& node, const CompileOptions& options);

// In evaluation an instance is given the ranges that the job has of its inputs.
// Fails with: kNotFound naming layer and device when there is no implementation; what the plugin reports;
// kUnsupported for a range that it does not take.
Result<MadeLayer> make_layer(const Registry& registry, const Network& network, const NodeInfo& node,
                             const std::vector<bool>& gradient_needed, const CompileOptions& options);
Result<MadeLoss> make_loss(const Registry& registry, const Network& network, const HeadInfo& head,
                           const CompileOptions& options);

}  // namespace plait::inline plan
