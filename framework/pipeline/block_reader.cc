#include "pipeline/block_reader.h"

namespace plait::inline pipeline {

bool is_written(const plait_config& config, const char* name) {
  const ConfigField* field = config.find(name);
  return field && !field->is_default;
}

void append_texts(const plait_config& config, const char* name, std::vector<std::string>& into) {
  if (const ConfigField* field = config.find(name))
    for (const ConfigValue& value : field->values) into.push_back(std::get<std::string>(value));
}

const pb::FieldDescriptor* BlockReader::field_of(const Scope& scope, const char* name) {
  return scope.message->GetDescriptor()->FindFieldByName(name);
}

std::shared_ptr<plait_config> BlockReader::own(const char* block, const Scope& scope) const {
  std::vector<const plait_field*> values;
  for (const plait_field* field : core_block(block).fields)
    if (field->kind != PLAIT_FIELD_CHILD) values.push_back(field);
  return configure(scope, values.data(), values.size(), errors_);
}

PluginSpec BlockReader::child(const Scope& scope, const char* name, const char* kind, int index) const {
  if (index >= count(scope, name)) return {};
  const Scope inside = nested(scope, name, index);
  PluginSpec spec = configure_plugin(inside, errors_);
  if (!spec && !inside.is_broken(errors_))
    errors_.add(inside.place, std::string("\"") + name + "\" wants a plugin of kind " + kind,
                "possible here: " + names_of_kind(kind));
  return spec;
}

std::vector<PluginSpec> BlockReader::children(const Scope& scope, const char* name, const char* kind) const {
  std::vector<PluginSpec> all;
  for (int i = 0; i < count(scope, name); ++i) all.push_back(child(scope, name, kind, i));
  return all;
}

PluginSpec BlockReader::plugin(const char* block, const Scope& scope) const {
  PluginSpec spec = configure_plugin(scope, errors_);
  if (!spec && !scope.is_broken(errors_))
    errors_.add(scope.place,
                std::string("\"") + block + "\" wants a plugin of kind " + core_block(block).plugin_kind,
                "possible here: " + names_of_kind(core_block(block).plugin_kind));
  return spec;
}

PluginSpec BlockReader::by_default(const char* id, const char* kind, const std::string& whose,
                                   const Place& where) const {
  const TypeEntry* entry = schema_.registry().find(kind, id);
  if (entry != nullptr) return plugin_with_defaults(schema_, *entry, where, errors_);
  errors_.add(where, std::string("the ") + kind + " of " + whose + ", " + id + ", is not loaded");
  return {};
}

std::string BlockReader::names_of_kind(const std::string& kind) const {
  std::string names;
  for (const auto& [type, entry] : schema_.registry().types())
    if (type.kind == kind) names += (names.empty() ? "" : ", ") + entry.short_name();
  return names.empty() ? "nothing, since no loaded plugin is a " + kind : names;
}

}  // namespace plait::inline pipeline
