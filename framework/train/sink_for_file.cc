#include "train/sink_for_file.h"

#include "registry/config.h"
#include "registry/endings.h"
#include "registry/kind_of.h"

namespace plait::inline train {

Result<PluginSpec> sink_for_file(const Registry& registry, const std::string& out, const std::string& sink) {
  std::vector<const TypeEntry*> fit = types_for_file(registry, kKindOf<plait_sink_ops>, out);
  if (!sink.empty()) {
    const TypeEntry* named = registry.find(kKindOf<plait_sink_ops>, sink);
    if (named == nullptr) return Status(Code::kUsage, "--sink: no sink \"" + sink + "\" is loaded");
    fit = {named};
  }
  if (fit.empty()) {
    std::string endings;
    for (const std::string& one : all_endings(registry, kKindOf<plait_sink_ops>))
      endings += (endings.empty() ? "" : ", ") + one;
    return Status(Code::kInvalid, "--out " + out + ": wanted a name that ends in one of " + endings);
  }
  if (fit.size() > 1)
    return Status(Code::kInvalid, "--out " + out + ": both " + fit[0]->type->id + " and " + fit[1]->type->id +
                                      " write such a file; say which by --sink");
  PluginSpec spec{fit[0], nullptr, {}};
  PLAIT_ASSIGN(spec.config, default_config(*fit[0]->type));
  return spec;
}

}  // namespace plait::inline train
