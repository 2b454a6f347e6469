// Plugins that a file's name means by its ending: sinks write such files, sources open them.
#pragma once
#include <string>
#include <vector>

#include "registry/registry.h"

namespace plait::inline registry {

// Types of the kind ("sink", "source") of the longest ending that `file` has; of several a person has to
// choose.
std::vector<const TypeEntry*> types_for_file(const Registry& registry, const std::string& kind,
                                             const std::string& file);
// ".csv", ".tsv"; empty where a type says none.
std::vector<std::string> endings_of(const TypeEntry& entry);
// Of all types of the kind, sorted, without repetition.
std::vector<std::string> all_endings(const Registry& registry, const std::string& kind);

// Names of files that a person writes: ".tar.gz" is an ending, "csv", "." and "./x" are none.
bool is_ending(const char* ending);

}  // namespace plait::inline registry
