#include "verify/benches/extreme_configs.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "verify/benches/samples.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr int kDeepest = 3;  // children in children
constexpr int64_t kLeastInteger = std::numeric_limits<int64_t>::min(),
                  kMostInteger = std::numeric_limits<int64_t>::max();

// The whole numbers of a range, both ends included.
struct WholeRange {
  int64_t low = kLeastInteger, high = kMostInteger;

  explicit WholeRange(const plait_field& field) {
    if (field.low > -0x1p63) low = static_cast<int64_t>(std::ceil(field.low));
    if (field.high < 0x1p63) high = static_cast<int64_t>(std::floor(field.high));
    if ((field.flags & PLAIT_FIELD_LOW_OPEN) && static_cast<double>(low) == field.low) ++low;
    if ((field.flags & PLAIT_FIELD_HIGH_OPEN) && static_cast<double>(high) == field.high) --high;
  }
  int64_t clamped(int64_t value) const { return std::clamp(value, low, high); }
};

// Lists of windows have one to three values; some lists have none, some are too long.
size_t list_length(Dice& dice) {
  static constexpr size_t kLengths[] = {1, 1, 1, 2, 2, 3, 0, 4, 9};
  return kLengths[dice.below(std::size(kLengths))];
}

}  // namespace

std::shared_ptr<plait_config> ExtremeConfigs::changed(const plait_config& base) {
  auto config = clone_config(base);
  static constexpr double kShares[] = {0.2, 0.5, 1};
  return change(*config, kShares[dice_.below(std::size(kShares))]) ? config : nullptr;
}

bool ExtremeConfigs::change(plait_config& config, double share) {
  for (ConfigField& field : config.fields) {
    const uint32_t flags = field.field->flags;
    const bool missing = field.values.empty() && (flags & PLAIT_FIELD_REQUIRED);
    const bool fixed = field.field->kind == PLAIT_FIELD_STRING || (flags & PLAIT_FIELD_PATH);
    if (fixed && missing) return false;
    if (fixed || (!missing && dice_.unit() >= share)) continue;
    if (!draw(field) && missing) return false;
  }
  return true;
}

bool ExtremeConfigs::draw(ConfigField& field) {
  std::vector<ConfigValue> values(field.field->flags & PLAIT_FIELD_REPEATED ? list_length(dice_) : 1);
  if (values.empty() && (field.field->flags & PLAIT_FIELD_REQUIRED)) return false;
  for (ConfigValue& value : values) {
    if (!draw_value(*field.field, value)) return false;
    if (field.field->kind <= PLAIT_FIELD_ENUM && !check_value(*field.field, value)) return false;
  }
  field.values = std::move(values);
  field.is_default = false;
  return true;
}

bool ExtremeConfigs::draw_value(const plait_field& field, ConfigValue& value) {
  switch (field.kind) {
    case PLAIT_FIELD_BOOL:
      return value = dice_.coin(), true;
    case PLAIT_FIELD_I64:
      return value = integer(field), true;
    case PLAIT_FIELD_F64:
      return value = number(field), true;
    case PLAIT_FIELD_ENUM:
      return value = std::string(field.enum_names[dice_.below(field.n_enum_names)]), true;
    case PLAIT_FIELD_CHILD:
      return draw_child(field, value);
    case PLAIT_FIELD_MESSAGE: {
      auto nested = default_config(field.fields, field.n_fields);
      if (!nested || !change(**nested, 0.5)) return false;
      return value = *nested, true;
    }
    default:
      return false;
  }
}

// Edges, small numbers, powers of two and their neighbours, and any bits.
int64_t ExtremeConfigs::integer(const plait_field& field) {
  const WholeRange range(field);
  const auto near = static_cast<int64_t>(dice_.below(3));
  switch (dice_.below(8)) {
    case 0:
      return range.low;
    case 1:
      return range.high;
    case 2:
      return range.high > kLeastInteger + near ? range.clamped(range.high - near) : range.high;
    case 3:
      return range.clamped(int64_t{1} << dice_.below(63));
    case 4:
      return range.clamped((int64_t{1} << dice_.below(63)) - 1 + near);
    case 5:
      return range.clamped(static_cast<int64_t>(dice_.bits() >> dice_.below(64)));
    default:
      return range.clamped(range.low > -64
                               ? std::max<int64_t>(range.low, 0) + static_cast<int64_t>(dice_.below(12))
                               : static_cast<int64_t>(dice_.below(12)) - 4);
  }
}

double ExtremeConfigs::number(const plait_field& field) {
  // Of f32: others are refused before a plugin sees them.
  constexpr double kHuge = std::numeric_limits<float>::max(), kTiny = std::numeric_limits<float>::min();
  double low = std::max(field.low, -kHuge), high = std::min(field.high, kHuge);
  if (field.flags & PLAIT_FIELD_LOW_OPEN) low = low == 0 ? kTiny : std::nextafter(low, kHuge);
  if (field.flags & PLAIT_FIELD_HIGH_OPEN) high = high == 0 ? -kTiny : std::nextafter(high, -kHuge);
  const double sign = dice_.coin() ? 1 : -1;
  switch (dice_.below(8)) {
    case 0:
      return low;
    case 1:
      return high;
    case 2:
      return std::clamp(0.0, low, high);
    case 3:
      return std::clamp(sign * kTiny, low, high);
    case 4:
      return std::clamp(sign * std::ldexp(1 + dice_.unit(), static_cast<int>(dice_.below(250)) - 125), low,
                        high);
    default:
      return std::clamp(sign * dice_.between(0, 4), low, high);
  }
}

bool ExtremeConfigs::draw_child(const plait_field& field, ConfigValue& value) {
  if (depth_ >= kDeepest) return false;
  std::vector<const plait_type*> fit;
  for (const auto& [type, entry] : registry_.types())
    if (type.kind == field.child_kind) fit.push_back(entry.type);
  if (fit.empty()) return false;
  const plait_type* type = dice_.pick(fit);
  const auto plain = default_config(*type);
  if (!plain) return false;
  ++depth_;
  auto config = changed(**plain);
  --depth_;
  if (config == nullptr) return false;
  auto child = std::make_shared<ConfigChild>();
  child->type = type;
  child->config = std::move(config);
  value = std::move(child);
  return true;
}

Result<std::vector<Example>> extreme_cases(Trial& trial, size_t count) {
  PLAIT_ASSIGN(std::vector<Example> bases, trial.examples());
  if (const auto plain = default_config(trial.type()); plain) bases.push_back({*plain, {}, 0, 0});
  ExtremeConfigs draws(trial.registry(), trial.dice());
  std::vector<Example> cases;
  for (size_t tries = 0; tries < 4 * count && cases.size() < count; ++tries) {
    Example one = trial.dice().pick(bases);
    one.config = draws.changed(*one.config);
    if (one.config == nullptr) continue;
    trial.doing("validate for " + config_text(*one.config));
    const Status status = validate(trial.type(), *one.config);
    if (!status && is_silent(status))
      return broken("validate refuses " + config_text(*one.config) + " without saying why");
    if (status) cases.push_back(std::move(one));
  }
  if (cases.empty())
    return skipped("no configuration can be drawn: a field needs a text that means something");
  return cases;
}

}  // namespace plait::inline verify
