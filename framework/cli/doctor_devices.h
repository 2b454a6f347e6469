// What `plait doctor` says of devices: whether each opens here, and what its libraries depend on.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "registry/registry.h"

namespace plait::inline cli {

// Name and value of each line. Devices are opened with their defaults; the libraries that wait for one that
// opens are loaded, and those that do not load are then among the registry's failures.
std::vector<std::pair<std::string, std::string>> device_facts(Registry& registry);

}  // namespace plait::inline cli
