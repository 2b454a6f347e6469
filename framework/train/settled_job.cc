#include "train/settled_job.h"

#include <algorithm>

#include "pipeline/resolved.h"

namespace plait::inline train {
void choose(LayerSpec& layer, const std::string& field, const std::string& value) {
  layer.plugin.config = std::make_shared<plait_config>(*layer.plugin.config);
  for (ConfigField& one : layer.plugin.config->fields) {
    if (field != one.field->name) continue;
    one.values = {value};
    one.is_default = false;
  }
}

std::string settled_text(const Job& job, const Plan& plan) {
  Job settled = job;
  for (const Step& step : plan.steps()) {
    const std::string& name = plan.network().nodes[static_cast<size_t>(step.node)].layer->name;
    const auto layer = std::ranges::find(settled.layers, name, &LayerSpec::name);
    if (layer == settled.layers.end()) continue;
    for (const KernelChoice& choice : step.kernels.choices) choose(*layer, choice.field, choice.value);
  }
  return resolved_text(settled);
}

}  // namespace plait::inline train
