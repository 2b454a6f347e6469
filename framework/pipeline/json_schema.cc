// schema_json: the language of pipeline files as a JSON Schema, for editors that complete by one.
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "pipeline/core_fields.h"
#include "pipeline/schema.h"
#include "registry/check.h"

namespace plait::inline pipeline {
namespace {

using Json = nlohmann::ordered_json;

Json object(const std::string& doc) {
  return {{"type", "object"},
          {"description", doc},
          {"properties", Json::object()},
          {"additionalProperties", false}};
}

Json reference(const std::string& name) { return {{"$ref", "#/$defs/" + name}}; }

// Once, or a list of them.
Json one_or_more(const Json& item) {
  return {{"anyOf", Json::array({item, Json{{"type", "array"}, {"items", item}}})}};
}

void add_bounds(const plait_field& field, Json& schema) {
  if (std::isfinite(field.low))
    schema[field.flags & PLAIT_FIELD_LOW_OPEN ? "exclusiveMinimum" : "minimum"] = field.low;
  if (std::isfinite(field.high))
    schema[field.flags & PLAIT_FIELD_HIGH_OPEN ? "exclusiveMaximum" : "maximum"] = field.high;
}

void add_fields(const plait_field* const* fields, size_t count, Json& schema);

// A value of a field, without its list.
Json value_schema(const plait_field& field) {
  Json schema;
  switch (field.kind) {
    case PLAIT_FIELD_MESSAGE:
      schema = object(field.doc);
      add_fields(field.fields, field.n_fields, schema);
      return schema;
    case PLAIT_FIELD_CHILD:
      return reference(std::string("any_") + field.child_kind);
    case PLAIT_FIELD_ENUM:
      schema["enum"] = std::vector<std::string>(field.enum_names, field.enum_names + field.n_enum_names);
      break;
    case PLAIT_FIELD_STRING:
      return {{"type", "string"}};
    case PLAIT_FIELD_BOOL:
      schema["type"] = "boolean";
      break;
    default:
      schema["type"] = field.kind == PLAIT_FIELD_I64 ? "integer" : "number";
      add_bounds(field, schema);
  }
  // A variable or an expression may stand for it.
  return {{"anyOf", Json::array({schema, reference("expression")})}};
}

// "1, 1" is a list, "relu" a text, "0.5" a number.
Json default_value(const plait_field& field) {
  const std::string text = field.default_text;
  const std::string json = field.flags & PLAIT_FIELD_REPEATED ? "[" + text + "]" : text;
  return field.kind != PLAIT_FIELD_STRING && Json::accept(json) ? Json::parse(json) : Json(text);
}

void add_fields(const plait_field* const* fields, size_t count, Json& schema) {
  for (size_t i = 0; i < count; ++i) {
    const plait_field& field = *fields[i];
    const Json value = value_schema(field);
    Json made = field.flags & PLAIT_FIELD_REPEATED ? one_or_more(value) : value;
    made["description"] = std::string(field.doc) + (field.unit ? std::string(" [") + field.unit + "]" : "");
    if (field.default_text) made["default"] = default_value(field);
    if (field.flags & PLAIT_FIELD_DEPRECATED) made["deprecated"] = true;
    schema["properties"][field.name] = made;
    if (field.flags & PLAIT_FIELD_REQUIRED) schema["required"].push_back(field.name);
  }
}

bool may_be_repeated(const Json& property) {
  return property.contains("anyOf") && property["anyOf"].back().value("type", "") == "array";
}

// Gives an object that has lists a property "repeat", and writes what is in that into `definitions`.
void add_repeat(const std::string& name, Json& object_schema, Json& definitions) {
  Json repeat = object("the fields beside count, count times");
  for (const auto& [property, schema] : object_schema["properties"].items())
    if (may_be_repeated(schema)) repeat["properties"][property] = schema;
  if (repeat["properties"].empty()) return;
  add_fields(core_repeat().data(), core_repeat().size(), repeat);
  const Json entry = one_or_more(reference("repeat_in_" + name));
  repeat["properties"]["repeat"] = entry;
  object_schema["properties"]["repeat"] = entry;
  definitions["repeat_in_" + name] = repeat;
}

Json type_schema(const plait_type& type) {
  Json schema = object(type.doc);
  add_fields(type.fields, type.n_fields, schema);
  return schema;
}

// "layer.plait.crop", beside "augmenter.plait.crop".
std::string definition_of(const TypeName& type) { return type.kind + "." + type.id; }

// Plugins of a kind by the names they are written with: the short one unless a field has it, and [id].
void add_plugins(const Registry& registry, const std::string& kind, Json& schema) {
  for (const auto& [type, entry] : registry.types()) {
    if (kind != type.kind) continue;
    const std::string name = entry.short_name();
    const Json it = reference(definition_of(type));
    Json& properties = schema["properties"];
    if (name != type.id && name != "repeat" && !properties.contains(name)) properties[name] = it;
    properties["[" + type.id + "]"] = it;
  }
}

Json block_schema(const Registry& registry, const CoreBlock& block) {
  Json schema = object(block.doc);
  add_fields(block.fields.data(), block.fields.size(), schema);
  if (block.plugin_kind) add_plugins(registry, block.plugin_kind, schema);
  return schema;
}

Json definitions(const Registry& registry) {
  Json made = {{"expression", {{"type", "string"}, {"pattern", "^\\$"}}}};
  for (const CoreBlock& block : core_blocks())
    made[std::string("block_") + block.name] = block_schema(registry, block);
  for (const char* kind : kinds()) {
    Json any = object(std::string("a plugin of the kind ") + kind);
    add_plugins(registry, kind, any);
    made[std::string("any_") + kind] = any;
  }
  for (const auto& [type, entry] : registry.types()) made[definition_of(type)] = type_schema(*entry.type);
  Json repeats;
  for (auto& [name, schema] : made.items())
    if (schema.contains("properties")) add_repeat(name, schema, repeats);
  made.update(repeats);
  return made;
}

Json variable_schema() {
  Json schema = object("a value that $name stands for");
  schema["properties"] = {{"name", {{"type", "string"}}},
                          {"value", {{"type", Json::array({"string", "number", "boolean"})}}}};
  schema["required"] = {"name", "value"};
  return schema;
}

}  // namespace

std::string schema_json(const Registry& registry) {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "What a pipeline file may say with the plugins that are loaded now"}};
  schema.update(object("a job"));
  for (const char* read : {"include", "set"})
    schema["properties"][read] = one_or_more({{"type", "string"}});
  add_fields(core_scalars().data(), core_scalars().size(), schema);
  for (const CoreBlock& block : core_blocks()) {
    const Json one = reference(std::string("block_") + block.name);
    schema["properties"][block.name] = block.repeated ? one_or_more(one) : one;
  }
  Json defs = definitions(registry);
  add_repeat("the_job", schema, defs);  // a var is never in one
  schema["properties"]["var"] = one_or_more(variable_schema());
  schema["$defs"] = std::move(defs);
  return json_text(schema, 2) + "\n";
}

}  // namespace plait::inline pipeline
