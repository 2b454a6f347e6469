// Values of a parsed message as the checked configuration that plugins read.
#pragma once
#include <memory>

#include "pipeline/errors.h"
#include "pipeline/job.h"
#include "pipeline/stage_names.h"
#include "pipeline/typed.h"

namespace plait::inline pipeline {

// A message inside a block, with the places of its fields. A null message: not written.
struct Scope {
  const Schema* schema = nullptr;
  const TypedBlock* block = nullptr;
  const pb::Message* message = nullptr;
  const WrittenFields* tree = nullptr;  // of the message
  Place place;                          // of its name
  Place end;                            // of its last brace
  const StageNames* stages = nullptr;   // that fields may name; null: fields that name one are not linked

  // Something in it was wrong and may have been left out.
  bool is_broken(const Errors& errors) const { return errors.any_between(place, end); }
  bool has(const pb::FieldDescriptor* field) const;
  int count(const pb::FieldDescriptor* field) const;  // 0 or 1 for fields that are not repeated
  Scope nested(const pb::FieldDescriptor* field, int index) const;
  Place value_place(const pb::FieldDescriptor* field, int index) const;
  // Place of the value of own field `name`, or of the message when it is not written.
  Place place_of(const char* name, int index = 0) const;

  // Of a message that pipeline.proto has, fields by their numbers (job::Layer::kNameFieldNumber).
  template <class M>
  const M& as() const {
    return dynamic_cast<const M&>(*message);
  }
  Place place_of(int number, int index = 0) const;
  Scope nested(int number, int index = 0) const;

 private:
  Place place_of(const pb::FieldDescriptor* field, int index) const;
};

// Looks at the written values of own fields of the framework in `scope`, and of messages in it; plugins are
// passed over. Errors: those of configure.
void check_fields(const Scope& scope, Errors& errors);

// Defaults and written values of the own fields of `scope`, by the table `fields`.
// Errors: out of range, an unknown choice, a required field that is missing, a stage that there is not.
std::shared_ptr<plait_config> configure(const Scope& scope, const plait_field* const* fields, size_t n_fields,
                                        Errors& errors);

// A plugin that no file writes, at `place`. Errors: those of configure.
PluginSpec plugin_with_defaults(const Schema& schema, const TypeEntry& entry, const Place& place,
                                Errors& errors);

// The plugin that is in `scope`, configured and validated; an empty spec when there is none.
// Errors: those of configure, and what the type's validate says.
PluginSpec configure_plugin(const Scope& scope, Errors& errors);

}  // namespace plait::inline pipeline
