#include "verify/benches/port_check.h"

#include <fmt/format.h>

#include <set>

#include "registry/ports.h"
#include "verify/engine/law.h"

namespace plait::inline verify {

Status check_ports(const char* what, const plait_ports* ports) {
  std::set<std::string> names;
  const auto all = ports_of(ports);
  for (const plait_port* port : all) {
    if (port == nullptr || port->name == nullptr || *port->name == 0)
      return broken(fmt::format("tells a port of its {}s that has no name", what));
    if (!names.insert(port->name).second)
      return broken(fmt::format("tells two {}s \"{}\"", what, port->name));
    if ((port->flags & PLAIT_PORT_REPEATED) != 0 && port != all.back())
      return broken(fmt::format("tells any number of {}s \"{}\", and others after them", what, port->name));
  }
  return {};
}

Status check_port_count(const char* what, const plait_ports* ports, size_t count) {
  if (ports == nullptr || count == 0 || port_at(ports, count - 1) != nullptr) return {};
  return broken(fmt::format("has {} {}s, and tells of {}{}", count, what, ports->count, port_names(ports)));
}

Status check_port_order(const char* what, const plait_ports* ports, const std::vector<std::string>& names) {
  if (ports == nullptr) return {};
  size_t at = 0;
  for (const std::string& name : names) {
    while (at < ports->count && name != ports->ports[at]->name) ++at;
    if (at == ports->count)
      return broken(
          fmt::format("infer gives the {} \"{}\" where its order has none{}", what, name, port_names(ports)));
  }
  return {};
}

}  // namespace plait::inline verify
