// Checks of what a plugin says of itself, before anything of it is used.
#pragma once
#include <plait/abi.h>

#include <string>

#include "base/status.h"
#include "registry/kinds.h"

namespace plait::inline registry {

// Versions: draft and the oldest host that the plugin can live with.
// Fails with: kInvalid.
Status check_version(const plait_plugin& plugin);
Status check_version(uint32_t abi_draft, uint32_t min_host_minor);

// Tables that contradict themselves: null or malformed ids, unknown kinds, no doc, rules or operations that a
// kind needs and lacks, fields named twice, defaults outside their range, ids twice within the plugin. Fails
// with: kInvalid naming type and field.
Status check_tables(const plait_plugin& plugin);

// The kind that an implementation is of, as far as its library says: its own word, or that of the library's
// one type of its id. "": it says nothing. Fails with: kInvalid when types of several kinds have the id.
Result<std::string> kind_of_implementation(const plait_plugin& plugin, const plait_implementation& made);

// Operations of one type on a device: those that its kind needs are there, and go together with the type's
// rules. Fails with: kInvalid naming what is missing.
Status check_operations(const plait_type& type, const plait_implementation& made);

}  // namespace plait::inline registry
