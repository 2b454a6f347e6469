#include "pipeline/repeat.h"

#include <algorithm>

#include "pipeline/schema_builder.h"
#include "registry/config.h"

namespace plait::inline pipeline {
namespace {

class RepeatReader {
 public:
  RepeatReader(const Field& block, Errors& errors) : block_(block), errors_(errors) {}

  bool run(Repeat& repeat) {
    const size_t before = errors_.count();
    for (const plait_field* field : core_repeat()) read(*field, repeat);
    const bool empty = std::all_of(block_.fields.begin(), block_.fields.end(), is_repeats_own);
    if (empty && errors_.count() == before)
      errors_.add(block_.name.place, "this repeat has nothing to repeat",
                  "as in: repeat { count: 3 layer { relu { } } }; a type of that name is written "
                  "[vendor.repeat]");
    return errors_.count() == before;
  }

 private:
  void read(const plait_field& meaning, Repeat& repeat) {
    const Field* found = nullptr;
    for (const Field& field : block_.fields) {
      if (!is_repeats_own(field) || field.name.text != meaning.name) continue;
      if (found)
        return errors_.add(field.name.place,
                           std::string("\"") + meaning.name + "\" is written twice in repeat",
                           "first at " + location_of(found->name.place).text());
      found = &field;
    }
    if (found)
      value(meaning, *found, repeat);
    else if (meaning.flags & PLAIT_FIELD_REQUIRED)
      missing(meaning);
  }

  void value(const plait_field& meaning, const Field& field, Repeat& repeat) {
    if (field.is_unresolved()) return;  // said already; run() sees it by the count of errors
    if (field.is_message)
      return errors_.add(field.name.place, std::string("\"") + meaning.name + "\" wants a value, got { ... }",
                         describe(meaning));
    if (meaning.kind == PLAIT_FIELD_STRING) return variable(meaning, field, repeat);
    const auto parsed = parse_value(meaning, scalar_text(field.scalar));
    if (!parsed)
      return errors_.add(scalar_place(field), "repeat: " + parsed.status().message(), describe(meaning));
    const std::string name = meaning.name;
    (name == "count"  ? repeat.count
     : name == "from" ? repeat.from
                      : repeat.step) = std::get<int64_t>(*parsed);
  }

  void variable(const plait_field& meaning, const Field& field, Repeat& repeat) {
    repeat.variable = scalar_text(field.scalar);
    repeat.variable_place = scalar_place(field);
    const Token& first = field.scalar.front();
    if (first.kind != Token::Kind::kString && !first.from_variable)
      errors_.add(repeat.variable_place, "\"as\" of repeat wants a text in quotes, got " + repeat.variable,
                  "write as: " + quote(repeat.variable) + "  " + describe(meaning));
    else if (!is_identifier(repeat.variable))
      errors_.add(repeat.variable_place,
                  "repeat: as: got " + quote(repeat.variable) + ", wanted a name (letters, digits, _)",
                  describe(meaning));
  }

  void missing(const plait_field& meaning) {
    for (const Field& field : block_.fields)
      if (!field.is_message && !is_repeats_own(field) &&
          !did_you_mean(field.name.text, {meaning.name}).empty())
        return errors_.add(field.name.place, "unknown field \"" + field.name.text + "\" of repeat",
                           std::string("did you mean \"") + meaning.name + "\"? " + describe(meaning));
    errors_.add(block_.name.place, std::string("repeat wants \"") + meaning.name + "\"", describe(meaning));
  }

  const Field& block_;
  Errors& errors_;
};

}  // namespace

bool is_repeat(const Field& field) {
  return field.is_message && !field.bracketed && field.name.kind == Token::Kind::kName &&
         field.name.text == "repeat";
}

bool is_repeats_own(const Field& field) {
  const auto named = [&](const plait_field* own) { return field.name.text == own->name; };
  const auto& own = core_repeat();
  return !field.bracketed && std::any_of(own.begin(), own.end(), named);
}

bool read_repeat(const Field& block, Repeat& repeat, Errors& errors) {
  return RepeatReader(block, errors).run(repeat);
}

}  // namespace plait::inline pipeline
