#include "train/plain_weights.h"

namespace plait::inline train {

// A parameter that is kept in plain order is where it is; others take scratch of their size.
PlainWeights plain_weights_in(const Plan& plan, const HostArena& arena, PlainScratch scratch) {
  if (!scratch) scratch = std::make_shared<std::vector<float>>();
  return [&plan, &arena, scratch](size_t parameter) -> Result<std::span<const float>> {
    const ParameterPlace& place = plan.parameters()[parameter];
    const uint64_t elements = plan.network().parameters[parameter].elements;
    if (place.step < 0) return std::span<const float>(arena.data() + place.offset, elements);
    scratch->resize(elements);
    PLAIT_TRY(plan.unpack(parameter, arena.data(), scratch->data()));
    return std::span<const float>(*scratch);
  };
}

PlainWeights plain_weights_of(const std::vector<std::vector<float>>& plain) {
  return [&plain](size_t parameter) -> Result<std::span<const float>> {
    return std::span<const float>(plain[parameter]);
  };
}

TensorSources sources_of(const Plan& plan, const PlainWeights& weights, const std::string& prefix,
                         bool trained_only) {
  TensorSources sources;
  for (size_t i = 0; i < plan.parameters().size(); ++i) {
    const ParameterInfo& info = plan.network().parameters[i];
    if (trained_only && !plan.parameters()[i].trained) continue;
    sources.push_back({prefix + info.name, info.shape, info.elements, [weights, i] { return weights(i); }});
  }
  return sources;
}

}  // namespace plait::inline train
