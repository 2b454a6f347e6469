// Text to checked values of one field, and back.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "registry/config.h"
#include "registry/registry.h"

namespace plait::inline registry {
namespace {

std::vector<std::string> enum_names(const plait_field& field) {
  return {field.enum_names, field.enum_names + field.n_enum_names};
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string unquoted(const std::string& text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return text;
  std::string result;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    const bool escaped = text[i] == '\\' && i + 2 < text.size();
    if (escaped) ++i;
    result += escaped && text[i] == 'n' ? '\n' : text[i];
  }
  return result;
}

std::string wanted(const plait_field& field) {
  const std::string range = range_text(field).empty() ? "" : " " + range_text(field);
  switch (field.kind) {
    case PLAIT_FIELD_BOOL:
      return "true or false";
    case PLAIT_FIELD_I64:
      return "an integer" + range;
    case PLAIT_FIELD_F64:
      return "a number" + range;
    case PLAIT_FIELD_STRING:
      return "a text";
    case PLAIT_FIELD_ENUM:
      return fmt::format("one of {}", fmt::join(enum_names(field), ", "));
    case PLAIT_FIELD_MESSAGE:
      return "nested fields { ... }";
    default:
      return fmt::format("a plugin of kind {}", field.child_kind ? field.child_kind : "?");
  }
}

Status refused(const plait_field& field, const std::string& got) {
  std::string message = fmt::format("{}: got {}, wanted {}", field.name, got, wanted(field));
  if (field.kind == PLAIT_FIELD_ENUM) {
    const std::string meant = did_you_mean(unquoted(got), enum_names(field));
    if (!meant.empty()) message += fmt::format(" (did you mean {}?)", meant);
  }
  return {Code::kInvalid, message};
}

// In long double, which holds every int64_t and every double.
bool in_range(const plait_field& field, long double value) {
  const bool above = field.flags & PLAIT_FIELD_LOW_OPEN ? value > field.low : value >= field.low;
  const bool below = field.flags & PLAIT_FIELD_HIGH_OPEN ? value < field.high : value <= field.high;
  return above && below;
}

// Most plugins compute in f32, where larger numbers are infinite and smaller ones 0: what is meant cannot be
// had. Infinity is for fields that have it as their default.
Status check_size(const plait_field& field, double value) {
  const double size = std::abs(value);
  const bool is_infinite_by_default =
      field.default_text != nullptr &&
      std::string_view(field.default_text).find("inf") != std::string_view::npos;
  if (size == 0 || (std::isinf(size) && is_infinite_by_default)) return {};
  constexpr double kMost = std::numeric_limits<float>::max(), kLeast = std::numeric_limits<float>::min();
  if (size <= kMost && size >= kLeast) return {};
  return {Code::kInvalid,
          fmt::format("{}: got {}, wanted a number of at {} {:.3g}, which f32 can hold", field.name, value,
                      size > kMost ? "most" : "least", size > kMost ? kMost : kLeast) +
              (size > kMost ? "" : ", or 0")};
}

bool is_acceptable(const plait_field& field, const ConfigValue& value) {
  switch (field.kind) {
    case PLAIT_FIELD_BOOL:
      return std::holds_alternative<bool>(value);
    case PLAIT_FIELD_I64:
      return std::holds_alternative<int64_t>(value) && in_range(field, std::get<int64_t>(value));
    case PLAIT_FIELD_F64:
      return std::holds_alternative<double>(value) && in_range(field, std::get<double>(value));
    case PLAIT_FIELD_STRING:
      return std::holds_alternative<std::string>(value);
    case PLAIT_FIELD_ENUM: {
      const auto* text = std::get_if<std::string>(&value);
      const auto names = enum_names(field);
      return text && std::find(names.begin(), names.end(), *text) != names.end();
    }
    case PLAIT_FIELD_MESSAGE:
      return std::holds_alternative<std::shared_ptr<plait_config>>(value);
    default:
      return std::holds_alternative<std::shared_ptr<ConfigChild>>(value);
  }
}

template <class T>
Result<ConfigValue> parse_number(const plait_field& field, const std::string& text) {
  T value{};
  const char* begin = text.data() + (text.size() > 1 && text[0] == '+' && text[1] != '-');
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return refused(field, quoted(text));
  return ConfigValue(value);
}

Result<ConfigValue> parse_kind(const plait_field& field, const std::string& text) {
  switch (field.kind) {
    case PLAIT_FIELD_BOOL:
      if (text == "true" || text == "1") return ConfigValue(true);
      if (text == "false" || text == "0") return ConfigValue(false);
      return refused(field, quoted(text));
    case PLAIT_FIELD_I64:
      return parse_number<int64_t>(field, text);
    case PLAIT_FIELD_F64:
      return parse_number<double>(field, text);
    case PLAIT_FIELD_STRING:
    case PLAIT_FIELD_ENUM:
      return ConfigValue(unquoted(text));
    default:
      return refused(field, quoted(text));
  }
}

}  // namespace

std::string range_text(const plait_field& field) {
  if (field.kind != PLAIT_FIELD_I64 && field.kind != PLAIT_FIELD_F64) return "";
  std::string text;
  if (field.low > -INFINITY)
    text = fmt::format("{} {}", field.flags & PLAIT_FIELD_LOW_OPEN ? ">" : ">=", field.low);
  if (field.high < INFINITY) {
    if (!text.empty()) text += " and ";
    text += fmt::format("{} {}", field.flags & PLAIT_FIELD_HIGH_OPEN ? "<" : "<=", field.high);
  }
  return text;
}

std::string value_text(const ConfigValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<int64_t>(&value)) return fmt::format("{}", *integer);
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  return "{...}";
}

Status check_value(const plait_field& field, const ConfigValue& value) {
  if (!is_acceptable(field, value)) return refused(field, value_text(value));
  const auto* number = std::get_if<double>(&value);
  return field.kind == PLAIT_FIELD_F64 && number != nullptr ? check_size(field, *number) : Status();
}

Result<ConfigValue> parse_value(const plait_field& field, const std::string& text) {
  auto value = parse_kind(field, text);
  if (value) PLAIT_TRY(check_value(field, *value));
  return value;
}

}  // namespace plait::inline registry
