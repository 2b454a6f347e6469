#include "pipeline/typed.h"

#include <google/protobuf/io/tokenizer.h>

#include <charconv>
#include <limits>
#include <optional>

#include "registry/config.h"

namespace plait::inline pipeline {
namespace {

using Descriptor = pb::FieldDescriptor;

// A scalar's words without quotes, as one; nothing where a text is in it.
std::optional<std::string> bare_text(const std::vector<Token>& scalar) {
  std::string text;
  for (const Token& token : scalar) {
    if (token.kind == Token::Kind::kString || is_string(token.text)) return std::nullopt;
    text += token.text;
  }
  return text;
}

// Decimal, hexadecimal (0x1f) or octal (017), as text format has them.
std::optional<int64_t> integer_of(const std::string& text) {
  const bool is_negative = text.starts_with('-');
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  uint64_t value = 0;
  const std::string digits = text.substr(is_negative ? 1 : 0);
  if (digits.empty() || digits == "0x" || digits == "0X" ||
      !pb::io::Tokenizer::ParseInteger(digits, kMost + is_negative, &value))
    return std::nullopt;
  return static_cast<int64_t>(is_negative ? 0 - value : value);
}

// Decimal, perhaps with the f that ends a float in C; too large is infinite, as text format has it. What
// begins like an octal number is none.
std::optional<double> number_of(const std::string& text) {
  const bool is_negative = text.starts_with('-');
  std::string digits = text.substr(is_negative ? 1 : 0);
  std::string lower = digits;
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  const double sign = is_negative ? -1 : 1;
  if (lower == "inf" || lower == "infinity") return sign * std::numeric_limits<double>::infinity();
  if (lower == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (lower.ends_with('f')) digits.pop_back();
  if (digits.empty() || !(digits[0] == '.' || (digits[0] >= '0' && digits[0] <= '9'))) return std::nullopt;
  if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end != digits.data() + digits.size()) return std::nullopt;
  return sign * (error == std::errc() ? value : pb::io::Tokenizer::ParseFloat(digits));
}

std::optional<bool> flag_of(const std::string& text) {
  if (text == "true" || text == "True" || text == "t") return true;
  if (text == "false" || text == "False" || text == "f") return false;
  const auto integer = text.starts_with('-') ? std::nullopt : integer_of(text);
  if (integer && *integer <= 1) return *integer == 1;
  return std::nullopt;
}

// By its name: check_names has put it between quotes.
std::optional<const pb::EnumValueDescriptor*> choice_of(const pb::EnumDescriptor& choices,
                                                        const std::vector<Token>& scalar) {
  const pb::EnumValueDescriptor* const value = choices.FindValueByName(scalar_text(scalar));
  return value ? std::optional(value) : std::nullopt;
}

// Puts `value`, where there is one, into a field of its type.
template <class V>
bool put(pb::Message& into, const Descriptor* field, const std::optional<V>& value,
         void (pb::Reflection::*set)(pb::Message*, const Descriptor*, V) const,
         void (pb::Reflection::*add)(pb::Message*, const Descriptor*, V) const) {
  if (value) (into.GetReflection()->*(field->is_repeated() ? add : set))(&into, field, *value);
  return value.has_value();
}

bool put_scalar(pb::Message& into, const Descriptor* field, const std::vector<Token>& scalar) {
  using R = pb::Reflection;
  if (field->cpp_type() == Descriptor::CPPTYPE_STRING)
    return put<std::string>(into, field, scalar_text(scalar), &R::SetString, &R::AddString);
  if (field->cpp_type() == Descriptor::CPPTYPE_ENUM)
    return put(into, field, choice_of(*field->enum_type(), scalar), &R::SetEnum, &R::AddEnum);
  const auto text = bare_text(scalar);
  if (!text) return false;
  switch (field->cpp_type()) {
    case Descriptor::CPPTYPE_BOOL:
      return put(into, field, flag_of(*text), &R::SetBool, &R::AddBool);
    case Descriptor::CPPTYPE_INT64:
      return put(into, field, integer_of(*text), &R::SetInt64, &R::AddInt64);
    default:
      return put(into, field, number_of(*text), &R::SetDouble, &R::AddDouble);
  }
}

// What is wrong with a value of another type.
std::string refusal(const plait_field& field, const std::string& text) {
  const auto value = parse_value(field, text);
  if (!value) return value.status().message();
  return std::string(field.name) + ": " + text + " is written as a text, wanted without quotes";
}

class Typing {
 public:
  Typing(const Schema& schema, Errors& errors) : schema_(schema), errors_(errors) {}

  void add(const Field& field, pb::Message& into, WrittenFields& beside) {
    const Descriptor* descriptor = schema_.find(into.GetDescriptor(), field.name.text, field.bracketed);
    if (field.is_message) return add_message(field, descriptor, into, beside);
    if (put_scalar(into, descriptor, field.scalar)) return beside.add(descriptor, {&field, nullptr});
    const plait_field& meaning = *schema_.meaning(descriptor).field;
    errors_.add(scalar_place(field),
                schema_.meaning(descriptor->containing_type()).title + ": " +
                    refusal(meaning, scalar_text(field.scalar)),
                describe(meaning));
  }

 private:
  void add_message(const Field& field, const Descriptor* descriptor, pb::Message& into,
                   WrittenFields& beside) {
    const pb::Reflection& reflection = *into.GetReflection();
    pb::Message* const made = descriptor->is_repeated()
                                  ? reflection.AddMessage(&into, descriptor, &schema_.factory())
                                  : reflection.MutableMessage(&into, descriptor, &schema_.factory());
    auto inside = std::make_unique<WrittenFields>();
    for (const Field& nested : field.fields)
      if (!errors_.is_full()) add(nested, *made, *inside);
    beside.add(descriptor, {&field, std::move(inside)});
  }

  const Schema& schema_;
  Errors& errors_;
};

}  // namespace

TypedBlock::TypedBlock(const Schema& schema, const Field& field, Errors& errors)
    : message_(schema.make_job()) {
  Typing(schema, errors).add(field, *message_, tree_);
}

}  // namespace plait::inline pipeline
