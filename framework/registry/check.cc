#include "registry/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "registry/config.h"

namespace plait::inline registry {
namespace {

Status invalid(std::string message) { return {Code::kInvalid, std::move(message)}; }

bool has_text(const char* text) { return text != nullptr && *text != '\0'; }

bool is_name(const std::string& text, const std::string& also) {
  return !text.empty() && (text[0] < '0' || text[0] > '9') &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
                  also.find(c) != std::string::npos;
         });
}

// "vendor.name", perhaps with more dots.
bool is_id(const char* id) {
  if (!has_text(id)) return false;
  const std::string text = id;
  return is_name(text, ".-") && text.find('.') != std::string::npos && text.front() != '.' &&
         text.back() != '.';
}

bool is_device(const char* id) {
  return is_id(id) || (id != nullptr && std::string(id) == PLAIT_HOST_DEVICE);
}

std::string shown(const char* text) { return text ? fmt::format("\"{}\"", text) : "null"; }

Status check_fields(const plait_field* const* fields, uint32_t n_fields);

Status check_field_kind(const plait_field& field) {
  switch (field.kind) {
    case PLAIT_FIELD_ENUM:
      if (field.n_enum_names == 0 || field.enum_names == nullptr) return invalid("an enum without names");
      if (!std::all_of(field.enum_names, field.enum_names + field.n_enum_names, has_text)) {
        return invalid("an enum with an empty name");
      }
      return {};
    case PLAIT_FIELD_CHILD:
      if (field.child_kind == nullptr || !is_kind(field.child_kind)) {
        return invalid("child of unknown kind " + shown(field.child_kind));
      }
      return {};
    case PLAIT_FIELD_MESSAGE:
      return check_fields(field.fields, field.n_fields);
    case PLAIT_FIELD_BOOL:
    case PLAIT_FIELD_I64:
    case PLAIT_FIELD_F64:
    case PLAIT_FIELD_STRING:
      return {};
    default:
      return invalid(fmt::format("unknown field kind {}", field.kind));
  }
}

Status check_field(const plait_field& field) {
  if (field.struct_size < offsetof(plait_field, n_fields) + sizeof field.n_fields)
    return invalid("struct_size is too small");
  if (!has_text(field.doc)) return invalid("no doc");
  if ((field.flags & PLAIT_FIELD_STAGE) != 0 && field.kind != PLAIT_FIELD_STRING)
    return invalid("names a stage, and is no string");
  if (!(field.low <= field.high))
    return invalid(fmt::format("range from {} to {} is empty", field.low, field.high));
  return check_field_kind(field);
}

Status check_fields(const plait_field* const* fields, uint32_t n_fields) {
  if (n_fields > 0 && fields == nullptr) return invalid(fmt::format("{} fields, but no table", n_fields));
  std::set<std::string> names;
  for (uint32_t i = 0; i < n_fields; ++i) {
    if (fields[i] == nullptr) return invalid(fmt::format("field {} is null", i));
    const char* name = fields[i]->name;
    if (name == nullptr || !is_name(name, ""))
      return invalid(fmt::format("field {} has the name {}", i, shown(name)));
    if (!names.insert(name).second) return invalid(fmt::format("two fields are named \"{}\"", name));
    PLAIT_TRY(check_field(*fields[i]).at(fmt::format("field \"{}\"", name)));
  }
  return default_config(fields, n_fields).status();
}

// The device-independent functions that the host cannot do without.
Status check_rules(const plait_type& type) {
  const Kind& kind = *find_kind(type.kind);
  if (kind.has_rules == nullptr || kind.has_rules(type)) return {};
  return invalid(fmt::format("the rules of its kind, {}, are missing", kind.name));
}

bool names_stage(const plait_field* const* fields, uint32_t n_fields) {
  return std::any_of(fields, fields + n_fields, [](const plait_field* field) {
    return (field->flags & PLAIT_FIELD_STAGE) != 0 || names_stage(field->fields, field->n_fields);
  });
}

Status check_type(const plait_type& type) {
  if (type.struct_size < offsetof(plait_type, flags)) return invalid("struct_size is too small");
  if (type.kind == nullptr || !is_kind(type.kind)) {
    return invalid(
        fmt::format("unknown kind {}, wanted one of {}", shown(type.kind), fmt::join(kinds(), ", ")));
  }
  if (!has_text(type.doc)) return invalid("no doc");
  PLAIT_TRY(check_rules(type));
  PLAIT_TRY(check_fields(type.fields, type.n_fields));
  if (const auto check = find_kind(type.kind)->check_field_names; check != nullptr) PLAIT_TRY(check(type));
  if (!find_kind(type.kind)->may_name_stages && names_stage(type.fields, type.n_fields))
    return invalid(fmt::format("a field names a stage: augmenters and tasks can, not a {}", type.kind));
  return {};
}

Status check_types(const plait_plugin& plugin) {
  if (plugin.n_types > 0 && plugin.types == nullptr)
    return invalid("types are announced, but there is no table");
  std::set<std::pair<std::string, std::string>> names;
  for (uint32_t i = 0; i < plugin.n_types; ++i) {
    const plait_type* type = plugin.types[i];
    if (type == nullptr) return invalid(fmt::format("type {} is null", i));
    if (!is_id(type->id)) {
      return invalid(fmt::format("type {} has the id {}, wanted \"vendor.name\"", i, shown(type->id)));
    }
    PLAIT_TRY(check_type(*type).at(fmt::format("type {}", type->id)));
    if (!names.emplace(type->kind, type->id).second)
      return invalid(fmt::format("{} {} is defined twice", type->kind, type->id));
  }
  return {};
}

Status check_implementations(const plait_plugin& plugin) {
  if (plugin.n_implementations > 0 && plugin.implementations == nullptr) {
    return invalid("implementations are announced, but there is no table");
  }
  std::set<std::array<std::string, 3>> seen;
  for (uint32_t i = 0; i < plugin.n_implementations; ++i) {
    const plait_implementation* made = plugin.implementations[i];
    if (made == nullptr || !is_id(made->type_id) || !is_device(made->device_id) || made->ops == nullptr) {
      return invalid(fmt::format("implementation {} lacks its type, its device or its operations", i));
    }
    PLAIT_ASSIGN(const std::string kind, kind_of_implementation(plugin, *made));
    if (!kind.empty() && !is_kind(kind))
      return invalid(fmt::format("{} on {} is implemented for the unknown kind \"{}\", wanted one of {}",
                                 made->type_id, made->device_id, kind, fmt::join(kinds(), ", ")));
    if (!seen.insert({kind, made->type_id, made->device_id}).second) {
      return invalid(fmt::format("{} {} is implemented twice on {}", kind.empty() ? "type" : kind,
                                 made->type_id, made->device_id));
    }
    // A type of another library is checked when both are known.
    for (uint32_t k = 0; k < plugin.n_types; ++k)
      if (plugin.types[k]->id == std::string(made->type_id) && plugin.types[k]->kind == kind)
        PLAIT_TRY(check_operations(*plugin.types[k], *made).at(fmt::format("type {}", made->type_id)));
  }
  return {};
}

}  // namespace

Result<std::string> kind_of_implementation(const plait_plugin& plugin, const plait_implementation& made) {
  const plait_implementation* const one = &made;
  if (PLAIT_HAS(one, kind)) return std::string(made.kind);
  std::string kind;
  for (uint32_t i = 0; i < plugin.n_types; ++i) {
    const plait_type& type = *plugin.types[i];
    if (type.id != std::string(made.type_id)) continue;
    if (!kind.empty())
      return invalid(
          fmt::format("implements {} on {} without its kind: types of the kinds {} and {} have this id",
                      made.type_id, made.device_id, kind, type.kind));
    kind = type.kind;
  }
  return kind;
}

Status check_operations(const plait_type& type, const plait_implementation& made) {
  const Kind& kind = *find_kind(type.kind);
  if (kind.check_device_ops != nullptr && made.device_id != std::string(PLAIT_HOST_DEVICE))
    return kind.check_device_ops(made.ops);
  PLAIT_TRY(kind.check_ops(made.ops));
  return kind.check_pair == nullptr ? Status() : kind.check_pair(type, made.ops);
}

Status check_version(uint32_t abi_draft, uint32_t min_host_minor) {
  if (abi_draft != PLAIT_ABI_DRAFT) {
    return invalid(fmt::format("was built for draft {} of the ABI, this Plait has draft {}: build it again",
                               abi_draft, PLAIT_ABI_DRAFT));
  }
  if (min_host_minor > PLAIT_ABI_MINOR) {
    return invalid(fmt::format("needs a Plait of ABI {}.{} or newer, this one has {}.{}", PLAIT_ABI_MAJOR,
                               min_host_minor, PLAIT_ABI_MAJOR, PLAIT_ABI_MINOR));
  }
  return {};
}

Status check_version(const plait_plugin& plugin) {
  return check_version(plugin.abi_draft, plugin.min_host_minor);
}

Status check_tables(const plait_plugin& plugin) {
  if (plugin.struct_size < offsetof(plait_plugin, get_extension)) return invalid("struct_size is too small");
  if (!is_id(plugin.id))
    return invalid(fmt::format("has the id {}, wanted \"vendor.name\"", shown(plugin.id)));
  if (!has_text(plugin.version)) return invalid("has no version");
  if (plugin.n_types + plugin.n_implementations == 0) return invalid("offers nothing");
  PLAIT_TRY(check_types(plugin));
  return check_implementations(plugin);
}

}  // namespace plait::inline registry
