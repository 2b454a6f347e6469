// The checked configuration of one plugin: what pipeline/ builds from text and plugins read through
// plait_host.
#pragma once
#include <plait/abi.h>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/status.h"

struct plait_config;

namespace plait::inline registry {

class StageArrays;

// A child plugin in a configuration: its type, its own configuration, and (once instance.h made it) its
// instance.
struct ConfigChild {
  const plait_type* type = nullptr;
  std::shared_ptr<plait_config> config;
  plait_child instance{};  // ops is null until created, and so is what plugins see
};

using ConfigValue = std::variant<bool, int64_t, double, std::string, std::shared_ptr<plait_config>,
                                 std::shared_ptr<ConfigChild>>;

// Values of one field, with defaults already filled in. Empty: absent and without default.
struct ConfigField {
  const plait_field* field = nullptr;
  std::vector<ConfigValue> values;
  bool is_default = true;  // not written in the file
  // Of a PLAIT_FIELD_STAGE: what the stage of each value makes, null where it names none; empty: not linked.
  std::vector<std::shared_ptr<StageArrays>> stages{};
};

}  // namespace plait::inline registry

// One entry per field of the type (or nested message), in the order of its table.
struct plait_config {
  const plait_type* type = nullptr;  // null for a nested message
  std::vector<plait::ConfigField> fields;

  const plait::ConfigField* find(const char* name) const;
};

namespace plait::inline registry {

// A configuration with the defaults of `type`'s fields only.
// Fails with: kInvalid when a default_text does not parse or lies outside its own range (a fault of the
// plugin).
Result<std::shared_ptr<plait_config>> default_config(const plait_type& type);
Result<std::shared_ptr<plait_config>> default_config(const plait_field* const* fields, uint32_t n_fields);

// Parses one value of `field` from text, checks kind, range and enum names. Not for MESSAGE and CHILD.
Result<ConfigValue> parse_value(const plait_field& field, const std::string& text);
// Range and enum check of a value that came from elsewhere. The message says got and wanted.
Status check_value(const plait_field& field, const ConfigValue& value);

// "true", "3", "0.5", "\"text\"": a scalar as it would be written; floats keep every bit. "{...}" for the
// others.
std::string value_text(const ConfigValue& value);
// ">= 1 and < 7", or "" where a field has no bounds.
std::string range_text(const plait_field& field);

// A copy that shares nothing with `config`: nested messages and children are copied too, children without
// instances.
std::shared_ptr<plait_config> clone_config(const plait_config& config);

// The host table that every plugin and context gets.
const plait_host& host_table();

}  // namespace plait::inline registry
