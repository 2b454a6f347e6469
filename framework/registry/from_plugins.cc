#include "registry/check.h"
#include "registry/registry.h"

namespace plait::inline registry {

Result<Registry> Registry::from_plugins(const std::vector<const plait_plugin*>& plugins) {
  Registry registry;
  for (const plait_plugin* plugin : plugins) {
    PLAIT_TRY(check_version(*plugin).at(plugin->id));
    PLAIT_TRY(check_tables(*plugin).at(plugin->id));
    registry.files_.push_back(std::make_unique<PluginFile>(plugin->id, plugin));
    PLAIT_TRY(registry.add_types(*registry.files_.back()));
  }
  PLAIT_TRY(registry.add_implementations());
  return registry;
}

}  // namespace plait::inline registry
