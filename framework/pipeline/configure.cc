#include "pipeline/configure.h"

#include "pipeline/paths.h"
#include "registry/context.h"

namespace plait::inline pipeline {
namespace {

Place value_place_of(const Scope& scope, const plait_field& field, int index) {
  return scope.place_of(field.name, index);
}

ConfigValue scalar(const Scope& scope, const pb::FieldDescriptor* field, int index) {
  const pb::Reflection& reflection = *scope.message->GetReflection();
  const pb::Message& message = *scope.message;
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return repeated ? reflection.GetRepeatedBool(message, field, index)
                      : reflection.GetBool(message, field);
    case pb::FieldDescriptor::CPPTYPE_INT64:
      return int64_t{repeated ? reflection.GetRepeatedInt64(message, field, index)
                              : reflection.GetInt64(message, field)};
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
      return repeated ? reflection.GetRepeatedDouble(message, field, index)
                      : reflection.GetDouble(message, field);
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return (repeated ? reflection.GetRepeatedEnum(message, field, index)
                       : reflection.GetEnum(message, field))
          ->name();
    default:
      return repeated ? reflection.GetRepeatedString(message, field, index)
                      : reflection.GetString(message, field);
  }
}

// A relative path that a plugin has as its default is relative to the file that names the plugin.
void make_defaults_absolute(plait_config& config, const SourceText* writer) {
  for (ConfigField& field : config.fields) {
    if (!(field.field->flags & PLAIT_FIELD_PATH)) continue;
    for (ConfigValue& value : field.values)
      if (auto* path = std::get_if<std::string>(&value)) *path = absolute_path(*path, writer);
  }
}

// A configuration is made in every case, so that other errors are found in the same go.
std::shared_ptr<plait_config> defaults(const Scope& scope, const plait_field* const* fields, size_t n_fields,
                                       Errors& errors) {
  auto config = default_config(fields, static_cast<uint32_t>(n_fields));
  if (config) {
    make_defaults_absolute(**config, scope.place.source);
    return *config;
  }
  errors.add(scope.place, config.status().message());
  return std::make_shared<plait_config>();
}

// What is wrong with values of the own fields of a message.
class ValueCheck {
 public:
  ValueCheck(const Scope& scope, Errors& errors) : scope_(scope), errors_(errors) {}

  const pb::FieldDescriptor* descriptor(const plait_field& field) const {
    return scope_.message->GetDescriptor()->FindFieldByName(field.name);
  }

  void not_written(const plait_field& field) {
    if (!(field.flags & PLAIT_FIELD_REQUIRED) || scope_.is_broken(errors_)) return;
    errors_.add(scope_.place, title() + " wants \"" + field.name + "\"", describe(field));
  }

  // Value `index` of a field that is neither a message nor a plugin.
  ConfigValue value(const plait_field& field, int index) {
    ConfigValue value = scalar(scope_, descriptor(field), index);
    if (const Status good = check_value(field, value); !good)
      errors_.add(value_place_of(scope_, field, index), title() + ": " + good.message(), describe(field));
    constexpr uint32_t kNamed = PLAIT_FIELD_REQUIRED | PLAIT_FIELD_REPEATED;  // else "" is as if not written
    const auto* text = std::get_if<std::string>(&value);
    if ((field.flags & PLAIT_FIELD_PATH) && (field.flags & kNamed) && text != nullptr && text->empty())
      errors_.add(value_place_of(scope_, field, index),
                  title() + ": " + field.name + ": got an empty path, wanted a file or folder",
                  describe(field));
    return value;
  }

  // What the stage that a field names makes; null: it names none.
  std::shared_ptr<StageArrays> stage(const plait_field& field, const std::string& name, int index) {
    if (name.empty() || scope_.stages == nullptr) return nullptr;
    const auto found = scope_.stages->find(name);
    if (found != scope_.stages->end()) return found->second.arrays;
    no_such_stage(name, value_place_of(scope_, field, index));
    return nullptr;
  }

 private:
  std::string title() const { return scope_.schema->meaning(scope_.message->GetDescriptor()).title; }

  void no_such_stage(const std::string& name, const Place& place) {
    std::vector<std::string> names;
    std::string all;
    for (const auto& [one, stage] : *scope_.stages) {
      names.push_back(one);
      all += (all.empty() ? "" : ", ") + one;
    }
    const std::string near = did_you_mean(name, names);
    errors_.add(place, "no stage is named \"" + name + "\"",
                !near.empty() ? "did you mean \"" + near + "\"?"
                : all.empty() ? "the file has no stage"
                              : "stages: " + all);
  }

  const Scope& scope_;
  Errors& errors_;
};

class Filler {
 public:
  Filler(const Scope& scope, Errors& errors) : scope_(scope), errors_(errors), check_(scope, errors) {}

  void fill(ConfigField& into) {
    const auto* field = check_.descriptor(*into.field);
    const int count = scope_.count(field);
    if (count == 0) {
      if (into.values.empty()) check_.not_written(*into.field);
      return;
    }
    into.values.clear();
    into.stages.clear();
    into.is_default = false;
    for (int i = 0; i < count; ++i) add(into, field, i);
  }

 private:
  void add(ConfigField& into, const pb::FieldDescriptor* field, int index) {
    const plait_field& meaning = *into.field;
    if (meaning.kind == PLAIT_FIELD_CHILD) return child(into, field, index);
    if (meaning.kind == PLAIT_FIELD_MESSAGE) {
      into.values.push_back(
          configure(scope_.nested(field, index), meaning.fields, meaning.n_fields, errors_));
      return;
    }
    into.values.push_back(check_.value(meaning, index));
    if ((meaning.flags & PLAIT_FIELD_STAGE) == 0) return;
    into.stages.resize(into.values.size());
    into.stages.back() = check_.stage(meaning, std::get<std::string>(into.values.back()), index);
  }

  void child(ConfigField& into, const pb::FieldDescriptor* field, int index) {
    const Scope inside = scope_.nested(field, index);
    const PluginSpec spec = configure_plugin(inside, errors_);
    if (!spec) {
      if (inside.is_broken(errors_)) return;
      errors_.add(
          inside.place,
          std::string("\"") + into.field->name + "\" wants a plugin of kind " + into.field->child_kind,
          describe(*into.field));
      return;
    }
    auto made = std::make_shared<ConfigChild>();
    made->type = spec.entry->type;
    made->config = spec.config;
    into.values.push_back(std::move(made));
  }

  const Scope& scope_;
  Errors& errors_;
  ValueCheck check_;
};

}  // namespace

bool Scope::has(const pb::FieldDescriptor* field) const { return count(field) > 0; }

int Scope::count(const pb::FieldDescriptor* field) const {
  if (message == nullptr || field == nullptr) return 0;
  const pb::Reflection& reflection = *message->GetReflection();
  return field->is_repeated() ? reflection.FieldSize(*message, field) : reflection.HasField(*message, field);
}

Scope Scope::nested(const pb::FieldDescriptor* field, int index) const {
  const pb::Reflection& reflection = *message->GetReflection();
  const WrittenFields::Written& written = tree->at(field, index);
  Scope inside{schema, block, nullptr, written.inside.get(), written.field->name.place, written.field->end,
               stages};
  inside.message = field->is_repeated() ? &reflection.GetRepeatedMessage(*message, field, index)
                                        : &reflection.GetMessage(*message, field);
  return inside;
}

Place Scope::value_place(const pb::FieldDescriptor* field, int index) const {
  const Field& written = *tree->at(field, index).field;
  return written.is_message ? written.name.place : scalar_place(written);
}

Place Scope::place_of(const pb::FieldDescriptor* field, int index) const {
  return index < count(field) ? value_place(field, index) : place;
}

Place Scope::place_of(const char* name, int index) const {
  return place_of(message ? message->GetDescriptor()->FindFieldByName(name) : nullptr, index);
}

Place Scope::place_of(int number, int index) const {
  return place_of(message->GetDescriptor()->FindFieldByNumber(number), index);
}

Scope Scope::nested(int number, int index) const {
  return nested(message->GetDescriptor()->FindFieldByNumber(number), index);
}

void check_fields(const Scope& scope, Errors& errors) {
  ValueCheck check(scope, errors);
  for (const pb::FieldDescriptor* descriptor : scope.schema->meaning(scope.message->GetDescriptor()).fields) {
    const plait_field* field = scope.schema->meaning(descriptor).field;
    if (field == nullptr || field->kind == PLAIT_FIELD_CHILD) continue;
    const int count = scope.count(descriptor);
    if (count == 0) check.not_written(*field);
    for (int i = 0; i < count; ++i) {
      if (field->kind == PLAIT_FIELD_MESSAGE) {
        check_fields(scope.nested(descriptor, i), errors);
        continue;
      }
      const ConfigValue value = check.value(*field, i);
      if (field->flags & PLAIT_FIELD_STAGE) check.stage(*field, std::get<std::string>(value), i);
    }
  }
}

std::shared_ptr<plait_config> configure(const Scope& scope, const plait_field* const* fields, size_t n_fields,
                                        Errors& errors) {
  auto config = defaults(scope, fields, n_fields, errors);
  if (scope.message == nullptr) return config;
  Filler filler(scope, errors);
  for (ConfigField& field : config->fields) filler.fill(field);
  return config;
}

PluginSpec plugin_with_defaults(const Schema& schema, const TypeEntry& entry, const Place& place,
                                Errors& errors) {
  const plait_type& type = *entry.type;
  const Scope none{&schema, nullptr, nullptr, nullptr, place, place};
  PluginSpec spec{&entry, configure(none, type.fields, type.n_fields, errors), location_of(place)};
  spec.config->type = &type;
  return spec;
}

PluginSpec configure_plugin(const Scope& scope, Errors& errors) {
  PluginSpec spec;
  if (scope.message == nullptr) return spec;
  for (const auto& [id, field] : scope.schema->meaning(scope.message->GetDescriptor()).plugins) {
    if (!scope.has(field)) continue;
    const Scope inside = scope.nested(field, 0);
    const plait_type& type = *scope.schema->meaning(field).plugin->type;
    const size_t before = errors.count();
    spec.entry = scope.schema->meaning(field).plugin;
    spec.where = location_of(inside.place);
    spec.config = configure(inside, type.fields, type.n_fields, errors);
    spec.config->type = &type;
    if (errors.count() > before || !PLAIT_HAS(&type, validate)) return spec;
    CallContext context;
    const Status valid = context.call([&] { return type.validate(context.raw(), spec.config.get()); });
    if (!valid) errors.add(inside.place, spec.entry->short_name() + ": " + valid.message());
    return spec;
  }
  return spec;
}

}  // namespace plait::inline pipeline
