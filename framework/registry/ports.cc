#include "registry/ports.h"

namespace plait::inline registry {

std::span<const plait_port* const> ports_of(const plait_ports* ports) {
  if (ports == nullptr) return {};
  return {ports->ports, ports->count};
}

const plait_port* port_at(const plait_ports* ports, size_t index) {
  const auto all = ports_of(ports);
  if (index < all.size()) return all[index];
  const bool goes_on = !all.empty() && (all.back()->flags & PLAIT_PORT_REPEATED) != 0;
  return goes_on ? all.back() : nullptr;
}

std::string port_names(const plait_ports* ports) {
  std::string names;
  for (const plait_port* port : ports_of(ports)) {
    names += (names.empty() ? " (" : ", ") + std::string(port->name);
    if ((port->flags & PLAIT_PORT_REPEATED) != 0) names += ", ...";
  }
  return names.empty() ? names : names + ")";
}

}  // namespace plait::inline registry
