// The reference: a page for each plugin type, made from what the type says of itself.
#pragma once
#include <string>

#include "registry/registry.h"

namespace plait::inline cli {

// The page of a type, Markdown.
std::string reference_page(const TypeEntry& entry);

// Writes <folder>/<kind>/<name>.md for every type, and <folder>/README.md that lists them.
// Fails with: kIo.
Status write_reference(const Registry& registry, const std::string& folder);

}  // namespace plait::inline cli
