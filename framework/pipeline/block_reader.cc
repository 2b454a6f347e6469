#include "pipeline/block_reader.h"

namespace plait::inline pipeline {

int BlockReader::count(const Scope& scope, const char* name) {
  return scope.count(scope.message->GetDescriptor()->FindFieldByName(name));
}

PluginSpec BlockReader::child(const Scope& scope, int number, int index) const {
  const pb::FieldDescriptor* field = scope.message->GetDescriptor()->FindFieldByNumber(number);
  if (index >= scope.count(field)) return {};
  const Scope inside = scope.nested(field, index);
  PluginSpec spec = configure_plugin(inside, errors_);
  const char* const kind = schema_.meaning(field).field->child_kind;
  if (!spec && !inside.is_broken(errors_))
    errors_.add(inside.place, "\"" + field->name() + "\" wants a plugin of kind " + kind,
                "possible here: " + names_of_kind(kind, reducer_use(scope.message->GetDescriptor(),
                                                                    count(scope, "train") > 0)));
  return spec;
}

std::vector<PluginSpec> BlockReader::children(const Scope& scope, int number) const {
  const int all = scope.count(scope.message->GetDescriptor()->FindFieldByNumber(number));
  std::vector<PluginSpec> found;
  for (int i = 0; i < all; ++i) found.push_back(child(scope, number, i));
  return found;
}

PluginSpec BlockReader::plugin(const Scope& block) const {
  PluginSpec spec = configure_plugin(block, errors_);
  const MessageMeaning& meaning = schema_.meaning(block.message->GetDescriptor());
  if (!spec && !block.is_broken(errors_))
    errors_.add(block.place, "\"" + meaning.title + "\" wants a plugin of kind " + meaning.plugin_kind,
                "possible here: " + names_of_kind(meaning.plugin_kind, ReducerUse::kShards));
  return spec;
}

PluginSpec BlockReader::by_default(const char* id, const char* kind, const std::string& whose,
                                   const Place& where) const {
  const TypeEntry* entry = schema_.registry().find(kind, id);
  if (entry != nullptr) return plugin_with_defaults(schema_, *entry, where, errors_);
  errors_.add(where, std::string("the ") + kind + " of " + whose + ", " + id + ", is not loaded");
  return {};
}

std::string BlockReader::names_of_kind(const std::string& kind, ReducerUse use) const {
  std::string names;
  for (const auto& [type, entry] : schema_.registry().types())
    if (type.kind == kind && fits(entry, use)) names += (names.empty() ? "" : ", ") + entry.short_name();
  return names.empty() ? "nothing, since no loaded plugin is a " + kind : names;
}

}  // namespace plait::inline pipeline
