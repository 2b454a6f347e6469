#include "registry/source_file.h"

#include <algorithm>
#include <filesystem>

#include "registry/endings.h"
#include "registry/kind_of.h"
#include "registry/shape_text.h"

namespace plait::inline registry {
namespace {

const plait_source_rules* rules_of(const TypeEntry& source) {
  return static_cast<const plait_source_rules*>(source.type->rules);
}

std::string_view magic_of(const plait_source_rules* rules) {
  return PLAIT_HAS(rules, magic.size) ? std::string_view(rules->magic.data, rules->magic.size)
                                      : std::string_view();
}
bool is_table(const plait_source_rules* rules) { return (rules->flags & PLAIT_SOURCE_TABLE) != 0; }
bool is_lines(const plait_source_rules* rules) { return (rules->flags & PLAIT_SOURCE_LINES) != 0; }

bool is_text(const PartSpec& part) {
  return part.dtype == PLAIT_U8 && part.variable_axis >= 0 && part.shape.size() == 1;
}

// False where there is no field of that name, or it has no such choice.
bool set(plait_config& config, const char* name, std::vector<ConfigValue> values) {
  if (name == nullptr) return false;
  const auto found = std::ranges::find_if(
      config.fields, [&](const ConfigField& field) { return std::string_view(field.field->name) == name; });
  if (found == config.fields.end()) return false;
  for (const ConfigValue& value : values)
    if (!check_value(*found->field, value)) return false;
  found->values = std::move(values);
  found->is_default = false;
  return true;
}

const char* word(Heading heading) {
  return heading == Heading::kAuto ? "auto" : heading == Heading::kYes ? "true" : "false";
}

}  // namespace

std::vector<const TypeEntry*> sources_for_bytes(const Registry& registry, std::string_view bytes,
                                                const PartSpec& wanted) {
  std::vector<const TypeEntry*> begin_so, texts;
  for (const auto& [name, entry] : registry.types()) {
    const plait_source_rules* const rules = rules_of(entry);
    if (name.kind != kKindOf<plait_source_ops> || rules == nullptr) continue;
    const std::string_view magic = magic_of(rules);
    if (!magic.empty() && bytes.starts_with(magic)) begin_so.push_back(&entry);
    if (magic.empty() && (is_text(wanted) ? is_lines(rules) : is_table(rules))) texts.push_back(&entry);
  }
  return begin_so.empty() ? texts : begin_so;
}

#define PLAIT_NAMED(field) (PLAIT_HAS(rules_, field) ? rules_->field : nullptr)

FileFields::FileFields(const TypeEntry& source) : type_(*source.type), rules_(rules_of(source)) {}

Result<std::shared_ptr<plait_config>> FileFields::config(const std::string& path,
                                                         const PartSpec& part) const {
  PLAIT_ASSIGN(auto config, default_config(type_));
  set(*config, rules_->file_field, {std::filesystem::absolute(path).lexically_normal().string()});
  set(*config, PLAIT_NAMED(part_field), {part.name});
  set(*config, PLAIT_NAMED(dtype_field), {std::string(dtype_name(part.dtype))});
  set_heading(*config, Heading::kAuto);
  return config;
}

bool FileFields::has_part() const { return PLAIT_NAMED(part_field) != nullptr; }

bool FileFields::has_dtype(uint32_t dtype) const {
  const auto config = default_config(type_);
  return config && set(**config, PLAIT_NAMED(dtype_field), {std::string(dtype_name(dtype))});
}

bool FileFields::set_shape(plait_config& config, const std::vector<int64_t>& shape) const {
  return set(config, PLAIT_NAMED(shape_field), {shape.begin(), shape.end()});
}

bool FileFields::set_heading(plait_config& config, Heading heading) const {
  return set(config, PLAIT_NAMED(heading_field), {std::string(word(heading))});
}

bool FileFields::is_settled_unseen() const {
  return PLAIT_NAMED(shape_field) != nullptr && (is_lines(rules_) || (is_table(rules_) && has_part()));
}

}  // namespace plait::inline registry
