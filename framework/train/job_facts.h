// The resolved text of a job as facts, field by field, and the plugins in it.
#pragma once
#include <string>
#include <vector>

#include "pipeline/job.h"
#include "registry/registry.h"
#include "train/identity.h"

namespace plait::inline train {

// "train.batch" is "16", "layer[c1].convolution.kernel" is "[5, 5]", "augment[1].affine.rotate" is "10". Left
// out is what does not change results: the job's name, where libraries are looked for, how often is saved and
// how much of it kept, a limit of time, a stage's bounds of memory and passes, and the fields of plugins that
// name files, whose bytes count instead. train.epochs and train.steps are of part::kLength.
Identity job_facts(const Registry& registry, const std::string& resolved);

// "source.idx": a plugin in a block of the file. `place`: the block, "source", "layer[c1]".
std::string plugin_name(const std::string& place, const plait_type& type);

struct PlacedPlugin {
  std::string place;
  const PluginSpec* plugin;
};
// All that are in a job's blocks; their children are in their configurations.
std::vector<PlacedPlugin> plugins_of(const Job& job);

// All types of a job's plugins, children included.
std::vector<const plait_type*> types_of(const Job& job);

}  // namespace plait::inline train
