// The language of pipeline files as a schema, for editors and people.
#pragma once
#include <string>

#include "registry/registry.h"

namespace plait::inline pipeline {

// The schema that the loaded plugins make, as the text of a .proto file (proto2) with docs, defaults and
// ranges as comments; var, include and repeat, which the reader of a file takes out, among them. Third-party
// types are extensions by the names that are between brackets: protobuf's own parser reads a resolved file
// by it, and so does an editor.
std::string schema_proto(const Registry& registry);

// The same as a JSON Schema (2020-12), of the file written as JSON: a block is an object, a repeated one an
// object or an array of them, a plugin a property by its short name or "[id]", a variable a text that begins
// with $.
std::string schema_json(const Registry& registry);

}  // namespace plait::inline pipeline
