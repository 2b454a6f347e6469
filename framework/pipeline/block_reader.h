// What blocks of a pipeline file are read with: the check of their own fields, and the plugins that are in
// them.
#pragma once
#include <string>
#include <vector>

#include "pipeline/configure.h"
#include "pipeline/job.h"
#include "pipeline/reducer_use.h"

namespace plait::inline pipeline {

// Borrows all that it is given. Threads: [setup only]
class BlockReader {
 public:
  BlockReader(const Schema& schema, Errors& errors) : schema_(schema), errors_(errors) {}

  // By the name of an own field.
  static int count(const Scope& scope, const char* name);

  // Looks at the values of a block's own fields: see check_fields. They are read from its message after it.
  void check(const Scope& block) const { check_fields(block, errors_); }
  // Plugin `index` in an own field, by its number, of a block; none where it is not written.
  PluginSpec child(const Scope& scope, int number, int index = 0) const;
  std::vector<PluginSpec> children(const Scope& scope, int number) const;
  // The plugin that is in a block, which wants one.
  PluginSpec plugin(const Scope& block) const;
  // Of this type, with its defaults; `where` is told as its place. Errors: not loaded, of another kind.
  PluginSpec by_default(const char* id, const char* kind, const std::string& whose, const Place& where) const;
  // Names that may be where a plugin of the kind is wanted, for hints.
  std::string names_of_kind(const std::string& kind, ReducerUse use = ReducerUse::kAny) const;

  const Schema& schema() const { return schema_; }
  Errors& errors() const { return errors_; }

 private:
  const Schema& schema_;
  Errors& errors_;
};

}  // namespace plait::inline pipeline
