// What blocks of a pipeline file are read with: their own fields, and the plugins that are in them.
#pragma once
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "pipeline/configure.h"
#include "pipeline/job.h"

namespace plait::inline pipeline {

// Typed reading of a configured block.
template <class T>
T value_or(const plait_config& config, const char* name, T otherwise) {
  const ConfigField* field = config.find(name);
  return field && !field->values.empty() ? std::get<T>(field->values[0]) : otherwise;
}
bool is_written(const plait_config& config, const char* name);
// Leaves `into` as it is where the field is not written.
template <class T>
void take_written(const plait_config& config, const char* name, T& into) {
  using Stored = std::conditional_t<std::is_same_v<T, bool> || std::is_same_v<T, double>, T, int64_t>;
  if (is_written(config, name)) into = static_cast<T>(value_or<Stored>(config, name, Stored{}));
}
void append_texts(const plait_config& config, const char* name, std::vector<std::string>& into);

// Borrows all that it is given. Threads: [setup only]
class BlockReader {
 public:
  BlockReader(const Schema& schema, Errors& errors) : schema_(schema), errors_(errors) {}

  static const pb::FieldDescriptor* field_of(const Scope& scope, const char* name);
  static int count(const Scope& scope, const char* name) { return scope.count(field_of(scope, name)); }
  static Scope nested(const Scope& scope, const char* name, int index = 0) {
    return scope.nested(field_of(scope, name), index);
  }

  // The values of a block's own fields; plugins beside them are read with their places: see child.
  std::shared_ptr<plait_config> own(const char* block, const Scope& scope) const;
  // Plugin `index` in own field `name` of a block; none where it is not written.
  PluginSpec child(const Scope& scope, const char* name, const char* kind, int index = 0) const;
  std::vector<PluginSpec> children(const Scope& scope, const char* name, const char* kind) const;
  // The plugin that is in a block, which wants one.
  PluginSpec plugin(const char* block, const Scope& scope) const;
  // Of this type, with its defaults; `where` is told as its place. Errors: not loaded, of another kind.
  PluginSpec by_default(const char* id, const char* kind, const std::string& whose, const Place& where) const;
  // Names that may be where a plugin of the kind is wanted, for hints.
  std::string names_of_kind(const std::string& kind) const;

  const Schema& schema() const { return schema_; }
  Errors& errors() const { return errors_; }

 private:
  const Schema& schema_;
  Errors& errors_;
};

}  // namespace plait::inline pipeline
