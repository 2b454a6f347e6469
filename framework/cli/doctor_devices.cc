#include "cli/doctor_devices.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/device.h"
#include "pipeline/load.h"
#include "registry/numerics.h"

namespace plait::inline cli {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

Result<std::unique_ptr<Device>> open_device(const Registry& registry, const std::string& id) {
  PLAIT_ASSIGN(const PluginSpec spec,
               parse_plugin(registry, {"device"}, "device { [" + id + "] {} }", "device " + id));
  return Device::open(registry, *spec.entry, *spec.config);
}

std::string shown(const plait_device_info& info) {
  const std::string name = info.name == nullptr ? "" : info.name;
  return info.memory_bytes == 0
             ? name
             : fmt::format("{}, {:.1f} GiB", name, static_cast<double>(info.memory_bytes) / 0x1p30);
}

// Lines of the libraries from number `first` on that serve a device: versions of what they call.
void add_numerics(const Registry& registry, const std::string& id, Lines& lines) {
  for (const auto& file : registry.files()) {
    bool serves = false;
    for (uint32_t i = 0; i < file->plugin->n_implementations; ++i)
      serves = serves || id == file->plugin->implementations[i]->device_id ||
               id == file->plugin->implementations[i]->type_id;
    if (!serves) continue;
    const auto facts = numerics_of(file->plugin);
    if (!facts) continue;
    for (const auto& [name, value] : *facts) {
      const std::pair<std::string, std::string> line{"", name + ": " + value};
      if (std::ranges::find(lines, line) == lines.end()) lines.push_back(line);
    }
  }
}

}  // namespace

Lines device_facts(Registry& registry) {
  Lines lines;
  std::vector<std::string> ids;
  for (const auto& [type, entry] : registry.types()) {
    const bool stands_for_others =
        PLAIT_HAS(entry.type, flags) && (entry.type->flags & PLAIT_TYPE_FIRST_FOUND) != 0;
    if (type.kind == "device" && !stands_for_others) ids.push_back(type.id);
  }
  for (const std::string& id : ids) {
    const auto device = open_device(registry, id);
    lines.emplace_back(id, device ? shown((*device)->info()) : "not here: " + device.status().message());
    if (!device) continue;
    const Status loaded = registry.use_device(id);
    if (!loaded) lines.emplace_back("", loaded.message());
    if (!(*device)->host_memory()) add_numerics(registry, id, lines);
  }
  return lines;
}

}  // namespace plait::inline cli
