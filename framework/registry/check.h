// Checks of what a plugin says of itself, before anything of it is used.
#pragma once
#include <plait/abi.h>

#include <span>
#include <string>

#include "base/status.h"

namespace plait {

// Names of all kinds, in the order in which people list them.
std::span<const char* const> kinds();
bool is_kind(const std::string& name);

// Versions: draft and the oldest host that the plugin can live with.
// Fails with: kInvalid.
Status check_version(const plait_plugin& plugin);
Status check_version(uint32_t abi_draft, uint32_t min_host_minor);

// Tables that contradict themselves: null or malformed ids, unknown kinds, no doc, rules or operations that a
// kind needs and lacks, fields named twice, defaults outside their range, ids twice within the plugin. Fails
// with: kInvalid naming type and field.
Status check_tables(const plait_plugin& plugin);

// Whether `ops` has every function that a type of `kind` cannot do without.
// Fails with: kInvalid naming those that are missing.
Status check_ops(const std::string& kind, const void* ops);

}  // namespace plait
