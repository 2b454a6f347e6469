#include "verify/engine/config_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace plait::inline verify {
namespace {

constexpr int kDeepestChild = 3;  // children in children

std::string value_as_text(const ConfigValue& value) {
  if (const auto* nested = std::get_if<std::shared_ptr<plait_config>>(&value))
    return *nested ? config_text(**nested) : "{}";
  if (const auto* child = std::get_if<std::shared_ptr<ConfigChild>>(&value)) {
    const auto& config = (*child)->config;
    return fmt::format("{{ {} {} }}", (*child)->type->id, config ? config_text(*config) : "{}");
  }
  return value_text(value);
}

// A list that may be short: windows have one or two extents, never a hundred.
uint64_t list_length(const ConfigField& field, Dice& dice) {
  return field.values.empty() ? 1 + dice.below(2) : field.values.size();
}

}  // namespace

std::string field_text(const ConfigField& field) {
  std::string text;
  for (const ConfigValue& value : field.values)
    text += fmt::format("{}{}: {}", text.empty() ? "" : " ", field.field->name, value_as_text(value));
  return text;
}

std::string config_text(const plait_config& config) {
  std::string text;
  for (const ConfigField& field : config.fields)
    if (!field.is_default) text += (text.empty() ? "" : " ") + field_text(field);
  return "{" + text + "}";
}

std::shared_ptr<plait_config> ConfigSampler::sample(const plait_type& type, double share) {
  auto config = default_config(type);
  if (!config) return nullptr;
  return draw_fields(**config, share) ? *config : nullptr;
}

bool ConfigSampler::draw_fields(plait_config& config, double share) {
  for (ConfigField& field : config.fields) {
    const uint32_t flags = field.field->flags;
    const bool missing = field.values.empty() && (flags & PLAIT_FIELD_REQUIRED);
    if (!missing && dice_.unit() >= share) continue;
    if (field.field->kind == PLAIT_FIELD_STRING || (flags & PLAIT_FIELD_PATH)) {
      if (missing) return false;  // a text that means something cannot be guessed
      continue;
    }
    if (!draw_field(field) && missing) return false;
  }
  return true;
}

bool ConfigSampler::draw_field(ConfigField& field) {
  const bool repeated = field.field->flags & PLAIT_FIELD_REPEATED;
  std::vector<ConfigValue> values(repeated ? list_length(field, dice_) : 1);
  for (size_t i = 0; i < values.size(); ++i) {
    if (field.field->kind == PLAIT_FIELD_I64) {
      values[i] = draw_integer(*field.field, field);
    } else if (!draw_value(*field.field, values[i])) {
      return false;
    }
    if (field.field->kind <= PLAIT_FIELD_ENUM && !check_value(*field.field, values[i])) return false;
  }
  field.values = std::move(values);
  field.is_default = false;
  return true;
}

bool ConfigSampler::draw_value(const plait_field& field, ConfigValue& value) {
  switch (field.kind) {
    case PLAIT_FIELD_BOOL:
      return value = dice_.coin(), true;
    case PLAIT_FIELD_F64:
      return value = draw_number(field), true;
    case PLAIT_FIELD_ENUM:
      return value = std::string(field.enum_names[dice_.below(field.n_enum_names)]), true;
    case PLAIT_FIELD_CHILD:
      return draw_child(field, value);
    case PLAIT_FIELD_MESSAGE: {
      auto nested = default_config(field.fields, field.n_fields);
      if (!nested || !draw_fields(**nested, 0.5)) return false;
      return value = *nested, true;
    }
    default:
      return false;
  }
}

// Small numbers: extents, strides and counts far above what a test can hold are no use.
int64_t ConfigSampler::draw_integer(const plait_field& field, const ConfigField& now) {
  constexpr int64_t kSmall = 5;
  const int64_t before = now.values.empty() || !std::holds_alternative<int64_t>(now.values[0])
                             ? 0
                             : std::get<int64_t>(now.values[0]);
  double low = std::max(field.low, -4.0), high = std::min(field.high, low + kSmall);
  if (field.low > 0 && before > 0 && dice_.coin()) high = std::min(field.high, static_cast<double>(before));
  if (field.flags & PLAIT_FIELD_LOW_OPEN && low == field.low) low += 1;
  if (field.flags & PLAIT_FIELD_HIGH_OPEN && high == field.high) high -= 1;
  if (std::isinf(field.low) && before >= 0) low = 0;
  const auto lowest = static_cast<int64_t>(std::ceil(low)), highest = static_cast<int64_t>(std::floor(high));
  return lowest +
         static_cast<int64_t>(dice_.below(static_cast<uint64_t>(std::max<int64_t>(highest - lowest, 0)) + 1));
}

double ConfigSampler::draw_number(const plait_field& field) {
  double low = field.low, high = field.high;
  if (std::isinf(low)) low = std::isinf(high) ? -2 : high - 2;
  if (std::isinf(high) || high - low > 1e3) high = low + 2;
  const double inside = low + (high - low) * (1 + static_cast<double>(dice_.below(254))) / 256;
  if (!(field.flags & PLAIT_FIELD_LOW_OPEN) && dice_.below(8) == 0) return low;
  if (!(field.flags & PLAIT_FIELD_HIGH_OPEN) && high == field.high && dice_.below(8) == 0) return high;
  return inside;
}

bool ConfigSampler::draw_child(const plait_field& field, ConfigValue& value) {
  if (depth_ >= kDeepestChild) return false;
  std::vector<const plait_type*> fit;
  for (const auto& [type, entry] : registry_.types()) {
    if (type.kind == field.child_kind) fit.push_back(entry.type);
  }
  if (fit.empty()) return false;
  const plait_type* type = dice_.pick(fit);
  ++depth_;
  auto config = sample(*type, 0);
  --depth_;
  if (config == nullptr) return false;
  auto child = std::make_shared<ConfigChild>();
  child->type = type;
  child->config = std::move(config);
  value = std::move(child);
  return true;
}

}  // namespace plait::inline verify
