// The language of pipeline files as a schema, for editors and people.
#pragma once
#include <string>

#include "registry/registry.h"

namespace plait {

// The schema that the loaded plugins make, as the text of a .proto file (proto2) with docs, defaults and
// ranges as comments. Third-party types are extensions.
std::string schema_proto(const Registry& registry);

}  // namespace plait
