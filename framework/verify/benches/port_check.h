// What a type says of its order, held against what it does.
#pragma once
#include <plait/abi.h>

#include <string>
#include <vector>

#include "base/status.h"

namespace plait::inline verify {

// Names that are there, each once; only the last may stand for more.
Status check_ports(const char* what, const plait_ports* ports);
// Whether `count` of them are told. `what`: "input".
Status check_port_count(const char* what, const plait_ports* ports, size_t count);
// Whether `names` are in that order among those told, some left out.
Status check_port_order(const char* what, const plait_ports* ports, const std::vector<std::string>& names);

}  // namespace plait::inline verify
