// What people read of a type: `plait inspect`, help and generated documentation come from here.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "registry/registry.h"

namespace plait::inline registry {

// Name, doc, details, inputs, devices, library, and a table of fields: name, type, default, range, unit, doc.
// Nested fields are written "outer.inner".
std::string describe_type(const TypeEntry& entry);
// The same for programs. Members are added, never renamed.
nlohmann::ordered_json describe_json(const TypeEntry& entry);

// All types: a table with kind, name, devices and doc, kinds in their usual order; then what did not load,
// and why.
std::string list_types(const Registry& registry);
nlohmann::ordered_json list_json(const Registry& registry);

}  // namespace plait::inline registry
