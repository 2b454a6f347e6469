// What a type says of the order of its inputs, outputs, parameters, ...: see plait_port.
#pragma once
#include <plait/abi.h>

#include <span>
#include <string>

namespace plait::inline registry {

std::span<const plait_port* const> ports_of(const plait_ports* ports);

// The port of number `index`: the last stands for all that follow where it says so. Null: none.
const plait_port* port_at(const plait_ports* ports, size_t index);

// " (anchor, positive, negative)"; "" where none are told.
std::string port_names(const plait_ports* ports);

}  // namespace plait::inline registry
