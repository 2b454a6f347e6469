#include "registry/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "registry/check.h"
#include "registry/config.h"
#include "registry/endings.h"
#include "registry/loss_form.h"
#include "registry/ports.h"

namespace plait::inline registry {
namespace {

using Row = std::vector<std::string>;

// Columns as wide as their widest cell, two spaces between; columns without a cell below the heading are left
// out.
std::string table(const std::vector<Row>& rows, const std::string& indent) {
  std::vector<size_t> widths(rows[0].size());
  for (size_t column = 0; column < widths.size(); ++column) {
    const auto has_cell = [&](const Row& row) { return !row[column].empty(); };
    if (!std::any_of(rows.begin() + 1, rows.end(), has_cell)) continue;
    for (const Row& row : rows) widths[column] = std::max(widths[column], row[column].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line = indent;
    for (size_t column = 0; column < widths.size(); ++column) {
      if (widths[column] > 0) line += fmt::format("{:<{}}  ", row[column], widths[column]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string indented(const std::string& text, const std::string& indent) {
  std::string result;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) result += indent + text.substr(begin, end - begin);
    result += "\n";
    begin = end + 1;
  }
  return result;
}

std::string kind_text(const plait_field& field) {
  switch (field.kind) {
    case PLAIT_FIELD_BOOL:
      return "true or false";
    case PLAIT_FIELD_I64:
      return "integer";
    case PLAIT_FIELD_F64:
      return "number";
    case PLAIT_FIELD_STRING:
      return field.flags & PLAIT_FIELD_PATH ? "path" : "text";
    case PLAIT_FIELD_ENUM:
      return fmt::format("{}", fmt::join(field.enum_names, field.enum_names + field.n_enum_names, " | "));
    case PLAIT_FIELD_MESSAGE:
      return "{ ... }";
    default:
      return fmt::format("{} {{ ... }}", field.child_kind);
  }
}

std::string type_text(const plait_field& field) {
  if (!(field.flags & PLAIT_FIELD_REPEATED)) return kind_text(field);
  const bool scalar =
      field.kind == PLAIT_FIELD_I64 || field.kind == PLAIT_FIELD_F64 || field.kind == PLAIT_FIELD_STRING;
  return "list of " + kind_text(field) + (scalar ? "s" : "");
}

std::string default_text(const plait_field& field) {
  if (field.flags & PLAIT_FIELD_REQUIRED) return "(required)";
  if (field.default_text == nullptr) return "-";
  return *field.default_text ? field.default_text : "\"\"";
}

std::string doc_text(const plait_field& field) {
  std::string text = field.doc;
  if (field.flags & PLAIT_FIELD_RUNTIME) text += " (a schedule may change it)";
  if (field.flags & PLAIT_FIELD_DEPRECATED) text += " (deprecated)";
  return text;
}

void add_rows(const plait_field* const* fields, uint32_t n_fields, const std::string& prefix,
              std::vector<Row>& rows) {
  for (uint32_t i = 0; i < n_fields; ++i) {
    const plait_field& field = *fields[i];
    rows.push_back({prefix + field.name, type_text(field), default_text(field), range_text(field),
                    field.unit ? field.unit : "", doc_text(field)});
    if (field.kind == PLAIT_FIELD_MESSAGE)
      add_rows(field.fields, field.n_fields, prefix + field.name + ".", rows);
  }
}

const plait_layer_rules* layer_rules(const plait_type& type) {
  return std::string(type.kind) == "layer" ? static_cast<const plait_layer_rules*>(type.rules) : nullptr;
}

// "" where the kind says how many.
std::string inputs_text(const plait_type& type) {
  const auto* rules = layer_rules(type);
  if (rules == nullptr) return "";
  if (rules->max_inputs == UINT32_MAX) return fmt::format("{} or more", rules->min_inputs);
  if (rules->max_inputs == rules->min_inputs) return fmt::format("{}", rules->min_inputs);
  return fmt::format("{} to {}", rules->min_inputs, rules->max_inputs);
}

struct NamedPorts {
  const char* what;
  const plait_ports* ports;
};

// Of layers and losses, in the order in which people read them.
std::vector<NamedPorts> ports_of_type(const plait_type& type) {
  std::vector<NamedPorts> all;
  if (const auto* rules = layer_rules(type)) {
    if (PLAIT_HAS(rules, input_ports)) all.push_back({"input", rules->input_ports});
    if (PLAIT_HAS(rules, output_ports)) all.push_back({"output", rules->output_ports});
    if (PLAIT_HAS(rules, parameter_ports)) all.push_back({"parameter", rules->parameter_ports});
    if (PLAIT_HAS(rules, buffer_ports)) all.push_back({"buffer", rules->buffer_ports});
  } else if (std::string(type.kind) == "loss") {
    const LossForm form = loss_form(type);
    if (form.predictions != nullptr) all.push_back({"prediction", form.predictions});
    if (form.targets != nullptr) all.push_back({"target", form.targets});
  }
  return all;
}

std::string text_or(const char* text, const char* otherwise) { return text ? text : otherwise; }

// "" where nothing is told.
std::string ports_table(const plait_type& type) {
  std::vector<Row> rows = {{"PLACE", "NAME", "SHAPE", "UNIT", "MEANING"}};
  for (const auto& [what, ports] : ports_of_type(type)) {
    const auto list = plait::ports_of(ports);
    for (size_t i = 0; i < list.size(); ++i) {
      const bool goes_on = (list[i]->flags & PLAIT_PORT_REPEATED) != 0;
      rows.push_back({fmt::format("{} {}{}", what, i, goes_on ? " ..." : ""), list[i]->name,
                      text_or(list[i]->shape, ""), text_or(list[i]->unit, ""), text_or(list[i]->doc, "")});
    }
  }
  return rows.size() > 1 ? "\n" + table(rows, "  ") : "";
}

nlohmann::ordered_json ports_json(const plait_ports* ports) {
  auto json = nlohmann::ordered_json::array();
  for (const plait_port* port : plait::ports_of(ports)) {
    json.push_back({{"name", port->name}, {"repeated", (port->flags & PLAIT_PORT_REPEATED) != 0}});
    if (port->shape) json.back()["shape"] = port->shape;
    if (port->unit) json.back()["unit"] = port->unit;
    if (port->doc) json.back()["doc"] = port->doc;
  }
  return json;
}

std::vector<std::string> devices_of(const TypeEntry& entry) {
  std::vector<std::string> devices;
  for (const auto& [device, implementation] : entry.implementations) devices.push_back(device);
  return devices;
}

std::vector<const TypeEntry*> entries_of(const Registry& registry, const std::string& kind) {
  std::vector<const TypeEntry*> entries;
  for (const auto& [type, entry] : registry.types()) {
    if (type.kind == kind) entries.push_back(&entry);
  }
  return entries;
}

nlohmann::ordered_json fields_json(const plait_field* const* fields, uint32_t n_fields);

nlohmann::ordered_json field_json(const plait_field& field) {
  constexpr const char* kNames[] = {"", "bool", "integer", "number", "string", "enum", "message", "child"};
  nlohmann::ordered_json json = {{"name", field.name},
                                 {"type", kNames[field.kind]},
                                 {"repeated", (field.flags & PLAIT_FIELD_REPEATED) != 0},
                                 {"required", (field.flags & PLAIT_FIELD_REQUIRED) != 0},
                                 {"doc", field.doc}};
  if (field.default_text) json["default"] = field.default_text;
  if (const std::string range = range_text(field); !range.empty()) json["range"] = range;
  if (field.unit) json["unit"] = field.unit;
  if (field.flags & PLAIT_FIELD_RUNTIME) json["runtime"] = true;
  if (field.flags & PLAIT_FIELD_PATH) json["path"] = true;
  if (field.flags & PLAIT_FIELD_DEPRECATED) json["deprecated"] = true;
  if (field.kind == PLAIT_FIELD_CHILD) json["child_kind"] = field.child_kind;
  if (field.kind == PLAIT_FIELD_MESSAGE) json["fields"] = fields_json(field.fields, field.n_fields);
  if (field.kind == PLAIT_FIELD_ENUM) {
    json["values"] = std::vector<std::string>(field.enum_names, field.enum_names + field.n_enum_names);
  }
  return json;
}

nlohmann::ordered_json fields_json(const plait_field* const* fields, uint32_t n_fields) {
  auto json = nlohmann::ordered_json::array();
  for (uint32_t i = 0; i < n_fields; ++i) json.push_back(field_json(*fields[i]));
  return json;
}

const char* or_empty(const char* text) { return text ? text : ""; }

nlohmann::ordered_json library_json(const PluginFile& file) {
  return {{"id", file.plugin->id},
          {"version", file.plugin->version},
          {"license", or_empty(file.plugin->license)},
          {"built_with", or_empty(file.plugin->built_with)},
          {"path", file.path},
          {"sha256", file.sha256()}};
}

std::string heading(const TypeEntry& entry) {
  const plait_type& type = *entry.type;
  std::string text = fmt::format("{} ({}, {})\n  {}\n\n", entry.short_name(), type.kind, type.id, type.doc);
  if (type.details != nullptr && *type.details) text += indented(type.details, "  ") + "\n";
  if (const std::string inputs = inputs_text(type); !inputs.empty())
    text += fmt::format("  inputs   {}\n", inputs);
  if (const auto endings = endings_of(entry); !endings.empty())
    text += fmt::format("  endings  {}\n", fmt::join(endings, ", "));
  text += fmt::format("  devices  {}\n", fmt::join(devices_of(entry), ", "));
  const plait_plugin& plugin = *entry.file->plugin;
  text += fmt::format("  library  {} {}", plugin.id, plugin.version);
  if (plugin.license != nullptr) text += fmt::format(", {}", plugin.license);
  return text + fmt::format("\n           {}\n           sha256 {}\n", entry.file->path, entry.file->sha256());
}

}  // namespace

std::string describe_type(const TypeEntry& entry) {
  std::vector<Row> rows = {{"FIELD", "TYPE", "DEFAULT", "RANGE", "UNIT", "MEANING"}};
  add_rows(entry.type->fields, entry.type->n_fields, "", rows);
  return heading(entry) + ports_table(*entry.type) + "\n" +
         (rows.size() > 1 ? table(rows, "  ") : "  It has no fields.\n");
}

nlohmann::ordered_json describe_json(const TypeEntry& entry) {
  const plait_type& type = *entry.type;
  nlohmann::ordered_json json = {
      {"id", type.id},   {"name", entry.short_name()},        {"kind", type.kind},
      {"doc", type.doc}, {"details", or_empty(type.details)}, {"devices", devices_of(entry)}};
  if (const auto* rules = layer_rules(type)) {
    json["min_inputs"] = rules->min_inputs;
    json["max_inputs"] = nullptr;  // any number
    if (rules->max_inputs != UINT32_MAX) json["max_inputs"] = rules->max_inputs;
  }
  if (const auto endings = endings_of(entry); !endings.empty()) json["endings"] = endings;
  for (const auto& [what, ports] : ports_of_type(type)) json[std::string(what) + "s"] = ports_json(ports);
  if (std::string(type.kind) == "loss") json["takes_weights"] = loss_form(type).takes_weights;
  json["fields"] = fields_json(type.fields, type.n_fields);
  json["library"] = library_json(*entry.file);
  return json;
}

std::string list_types(const Registry& registry) {
  std::vector<Row> rows = {{"KIND", "NAME", "DEVICES", "MEANING"}};
  for (const char* kind : kinds()) {
    for (const auto* entry : entries_of(registry, kind)) {
      rows.push_back({kind, entry->short_name(), fmt::format("{}", fmt::join(devices_of(*entry), ", ")),
                      entry->type->doc});
    }
  }
  std::string text = rows.size() > 1 ? table(rows, "") : "No plugins were found.\n";
  if (registry.failures().empty()) return text;
  text += "\nNot loaded:\n";
  for (const auto& failure : registry.failures()) text += "  " + failure.reason.message() + "\n";
  return text;
}

nlohmann::ordered_json list_json(const Registry& registry) {
  auto types = nlohmann::ordered_json::array(), failures = nlohmann::ordered_json::array();
  for (const char* kind : kinds()) {
    for (const auto* entry : entries_of(registry, kind)) types.push_back(describe_json(*entry));
  }
  for (const auto& failure : registry.failures()) {
    failures.push_back(
        {{"path", failure.path}, {"reason", failure.reason.message()}, {"serves", failure.serves}});
  }
  return {{"types", std::move(types)}, {"failures", std::move(failures)}};
}

}  // namespace plait::inline registry
