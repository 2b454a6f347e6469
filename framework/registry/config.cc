#include "registry/config.h"

#include <cstring>

const plait::ConfigField* plait_config::find(const char* name) const {
  for (const auto& field : fields) {
    if (std::strcmp(field.field->name, name) == 0) return &field;
  }
  return nullptr;
}

namespace plait::inline registry {
namespace {

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\n") + 1 - begin);
}

// "1, 1" or "[\"a\", \"b,c\"]": commas inside quotes do not part.
std::vector<std::string> list_items(const std::string& text) {
  std::string list = trimmed(text);
  if (list.size() >= 2 && list.front() == '[' && list.back() == ']')
    list = trimmed(list.substr(1, list.size() - 2));
  std::vector<std::string> items;
  if (list.empty()) return items;
  items.emplace_back();
  bool quoted = false;
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '"' && (i == 0 || list[i - 1] != '\\')) quoted = !quoted;
    if (list[i] == ',' && !quoted) {
      items.emplace_back();
    } else {
      items.back() += list[i];
    }
  }
  for (auto& item : items) item = trimmed(item);
  return items;
}

Status fill_scalar_default(ConfigField& field) {
  const std::string text = field.field->default_text;
  const bool repeated = field.field->flags & PLAIT_FIELD_REPEATED;
  for (const auto& item : repeated ? list_items(text) : std::vector{text}) {
    auto value = parse_value(*field.field, item);
    if (!value) return value.status().at("default");
    field.values.push_back(*value);
  }
  return {};
}

Status fill_message_default(ConfigField& field) {
  if (field.field->flags & PLAIT_FIELD_REPEATED) return {};
  PLAIT_ASSIGN(auto message, default_config(field.field->fields, field.field->n_fields));
  field.values.push_back(std::move(message));
  return {};
}

Status fill_default(ConfigField& field) {
  if (field.field->default_text == nullptr) return {};
  switch (field.field->kind) {
    case PLAIT_FIELD_CHILD:
      if (*field.field->default_text == '\0') return {};
      return {Code::kInvalid, std::string(field.field->name) + ": a child plugin has no default"};
    case PLAIT_FIELD_MESSAGE:
      return fill_message_default(field);
    default:
      return fill_scalar_default(field);
  }
}

ConfigValue clone_value(const ConfigValue& value) {
  if (const auto* message = std::get_if<std::shared_ptr<plait_config>>(&value)) {
    return *message ? clone_config(**message) : nullptr;
  }
  if (const auto* child = std::get_if<std::shared_ptr<ConfigChild>>(&value)) {
    auto copy = std::make_shared<ConfigChild>();
    copy->type = (*child)->type;
    if ((*child)->config) copy->config = clone_config(*(*child)->config);
    return copy;
  }
  return value;
}

}  // namespace

Result<std::shared_ptr<plait_config>> default_config(const plait_field* const* fields, uint32_t n_fields) {
  auto config = std::make_shared<plait_config>();
  for (uint32_t i = 0; i < n_fields; ++i) {
    ConfigField field;
    field.field = fields[i];
    PLAIT_TRY(fill_default(field));
    config->fields.push_back(std::move(field));
  }
  return config;
}

Result<std::shared_ptr<plait_config>> default_config(const plait_type& type) {
  auto config = default_config(type.fields, type.n_fields);
  if (!config) return config.status().at(type.id);
  (*config)->type = &type;
  return config;
}

std::shared_ptr<plait_config> clone_config(const plait_config& config) {
  auto copy = std::make_shared<plait_config>();
  copy->type = config.type;
  for (const auto& field : config.fields) {
    ConfigField field_copy{field.field, {}, field.is_default, field.stages};
    for (const auto& value : field.values) field_copy.values.push_back(clone_value(value));
    copy->fields.push_back(std::move(field_copy));
  }
  return copy;
}

}  // namespace plait::inline registry
