// What the framework itself understands in a pipeline file, read from pipeline.proto into the same tables
// that plugins use: so both are checked, described and completed by the same functions. Threads: [any]
#pragma once
#include <plait/abi.h>

#include <string>
#include <vector>

namespace plait::inline pipeline {

// A block such as layer { name: "c1" convolution { } }: own fields, and at most one plugin of a kind.
struct CoreBlock {
  const char* name;
  const char* plugin_kind;  // null: none
  bool repeated;
  const char* doc;
  std::vector<const plait_field*> fields;
};

// Scalars at the top level: name, seed, plugin, plugin_path. (var, include and repeat are taken out before.)
const std::vector<const plait_field*>& core_scalars();
// What a repeat { } says of itself: count, as, from, step.
const std::vector<const plait_field*>& core_repeat();
const std::vector<CoreBlock>& core_blocks();
const CoreBlock& core_block(const char* name);
// Names of the blocks in which a plugin of a kind is in a file, from the outside in: {"augment"},
// {"stage", "combiner"}. Of several the block that is named as the kind, else the first; empty: it is in
// none.
std::vector<std::string> blocks_of(const std::string& kind);
// Whether `field` is one of the above or in a message of them, not a plugin's.
bool is_core_field(const plait_field& field);
// Whether a type of this kind and short name has to be written [vendor.name], since the name means something
// else where such types may be written: "repeat", and own fields of their block such as "input".
bool is_taken_name(const std::string& name, const std::string& kind);

}  // namespace plait::inline pipeline
