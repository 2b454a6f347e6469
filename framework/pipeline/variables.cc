#include "pipeline/variables.h"

#include <algorithm>
#include <utility>

#include "registry/registry.h"

namespace plait::inline pipeline {
namespace {

constexpr size_t kMostCandidates = 40;  // in a hint

std::string did_you_mean_hint(const std::string& name, const std::vector<std::string>& candidates) {
  const std::string near = did_you_mean(name, candidates);
  if (!near.empty()) return "did you mean \"" + near + "\"?";
  if (candidates.empty()) return "the job has no var { }";
  std::string all = "variables:";
  for (size_t i = 0; i < std::min(candidates.size(), kMostCandidates); ++i) all += " " + candidates[i];
  return candidates.size() > kMostCandidates ? all + " ..." : all;
}

struct Size {
  size_t fields = 1, bytes = 0;
};

Size size_of(const Field& field) {
  Size size{1, field.name.text.size()};
  for (const Token& token : field.scalar) size.bytes += token.text.size();
  for (const Field& inner : field.fields) {
    const Size part = size_of(inner);
    size.fields += part.fields, size.bytes += part.bytes;
  }
  return size;
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

bool is_name_letter(char c, bool first) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

}  // namespace

Variables::Variables(const std::map<std::string, std::string>& given) : given_(given) {
  for (const auto& [name, value] : given) given_texts_[name] = {"--var", name + "=" + value};
}

// For hints: nobody looks for a slip of the pen among more.
std::vector<std::string> Variables::names() const {
  std::vector<std::string> names;
  for (const auto& entry : variables_) {
    if (names.size() == 1000) break;
    names.push_back(entry.first);
  }
  return names;
}

void Variables::define(const Field& block, int depth, Errors& errors) {
  for (const Field& field : block.fields)
    if (field.is_message ||
        (field.name.text != "name" && field.name.text != "value" && field.name.text != "doc"))
      errors.add(field.name.place, "a var has name, value and doc, not \"" + field.name.text + "\"",
                 "as in: var { name: \"width\" value: 64 }");
  const std::string name = block.text_of("name");
  const Field* value = block.find("value");
  if (!is_identifier(name) || value == nullptr || value->is_message)
    return errors.add(block.name.place, "a var wants a name (letters, digits, _) and a value",
                      "as in: var { name: \"width\" value: 64 }");
  const auto known = variables_.find(name);
  if (known != variables_.end() && known->second.depth == depth)
    return errors.add(block.name.place, "variable \"" + name + "\" is defined twice",
                      "first at " + location_of(known->second.place).text());
  if (known != variables_.end() && known->second.depth < depth) return;
  Variable variable;
  variable.written = value->scalar.front();
  for (size_t i = 1; i < value->scalar.size(); ++i) variable.written.text += value->scalar[i].text;  // "-" 5
  if (value->scalar.size() > 1 && value->scalar.front().kind == Token::Kind::kString)
    variable.written.text = quote(scalar_text(value->scalar));
  variable.depth = depth;
  variable.place = block.name.place;
  if (const auto set = given_.find(name); set != given_.end()) {
    variable.value = set->second;
    variable.writer = &given_texts_.at(name);
    variable.state = Variable::kKnown;
    variable.is_given = true;
  }
  variables_[name] = variable;
}

void Variables::take_back_given() {
  for (auto& [name, variable] : variables_) variable.is_given = false;
  forget_values();
}

void Variables::give(const std::string& name, const std::string& value) {
  const auto found = variables_.find(name);
  if (found == variables_.end()) return;  // check_given says it
  const auto text = given_texts_.find(name);
  found->second.value = value;
  found->second.writer = text == given_texts_.end() ? nullptr : &text->second;
  found->second.state = Variable::kKnown;
  found->second.is_given = true;
  forget_values();
}

// What was given stays, and what is broken has been told.
void Variables::forget_values() {
  for (auto& [name, variable] : variables_)
    if (!variable.is_given && variable.state == Variable::kKnown) variable.state = Variable::kUnknown;
}

void Variables::check_given(Errors& errors) const {
  for (const auto& [name, text] : given_texts_)
    if (!variables_.count(name))
      errors.add({&text, 0, name.size()}, "the job has no variable \"" + name + "\"",
                 did_you_mean_hint(name, names()));
}

const VariableValue* Variables::lookup(const std::string& name, ExpressionError& error, Errors& errors) {
  if (const VariableValue* value = lookup_repeated(name)) return value;
  const auto found = variables_.find(name);
  if (found == variables_.end()) {
    const bool elsewhere = repeated_.count(name) > 0;
    error.message = elsewhere ? "variable \"" + name + "\" of a repeat is not known here"
                              : "unknown variable \"" + name + "\"";
    error.hint = elsewhere
                     ? "it stands for a number in the fields that are repeated, not outside, in a var or "
                       "in the name of an included file"
                     : did_you_mean_hint(name, names());
    return nullptr;
  }
  if (found->second.state == Variable::kBusy) {
    error.message = "variable \"" + name + "\" needs itself";
    return nullptr;
  }
  const bool is_open = found->second.state == Variable::kUnknown;
  if (is_open && depth_ >= kMaxExpressionDepth) {
    error.message = expression_depth_fault();
    return nullptr;
  }
  ++depth_;
  const bool good = resolve(found->second, errors);
  --depth_;
  return good ? &found->second.value : nullptr;
}

const VariableValue* Variables::lookup_repeated(const std::string& name) {
  const Iteration* at = iteration_;
  while (at && at->name != name) at = at->outer;
  return at ? &(iteration_value_ = at->value) : nullptr;
}

// The value of a variable may use other variables, wherever they are defined, but those of no repeat.
bool Variables::resolve(Variable& variable, Errors& errors) {
  if (variable.state == Variable::kKnown || variable.state == Variable::kBroken)
    return variable.state == Variable::kKnown;
  variable.state = Variable::kBusy;
  const size_t before = errors.count();
  const Iteration* const inside = std::exchange(iteration_, nullptr);
  if (variable.written.kind == Token::Kind::kVariable) {
    expand(variable.written.text, variable.written.place, 0, variable.value, errors);
    variable.writer = writer_of(variable.written.text, variable.written.place.source);
  } else if (variable.written.kind == Token::Kind::kString) {
    variable.value = interpolate(variable.written, variable.writer, errors);
  } else {
    variable.writer = variable.written.place.source;
    variable.value = variable.written.text;
  }
  iteration_ = inside;
  variable.state = errors.count() == before ? Variable::kKnown : Variable::kBroken;
  return variable.state == Variable::kKnown;
}

// A lone name stands for what its variable's writer wrote; arithmetic where it is written.
const SourceText* Variables::writer_of(const std::string& expression, const SourceText* here) const {
  const auto found = variables_.find(trimmed(expression));
  return found == variables_.end() || found->second.writer == nullptr ? here : found->second.writer;
}

// `shift`: where the expression begins after place.offset, 0: find out from the text.
bool Variables::expand(const std::string& expression, Place place, size_t shift, VariableValue& value,
                       Errors& errors) {
  ExpressionError error;
  const auto find = [&](const std::string& name, ExpressionError& into) {
    return lookup(name, into, errors);
  };
  if (evaluate(expression, find, value, error, depth_)) return true;
  if (error.message.empty()) return false;  // said already, where the variable is defined
  if (shift == 0) shift = place.length > expression.size() + 1 ? 2 : 1;
  if (place.length > 0) place.offset += shift + error.offset, place.length = 1;
  errors.add(place, error.message, error.hint);
  return false;
}

void Variables::substitute(std::vector<Field>& fields, Errors& errors) {
  std::vector<Field> made;
  made.reserve(fields.size());
  for (Field& field : fields) {
    if (errors.is_full()) break;
    if (is_repeat(field)) {
      repeat(field, made, errors);
    } else {
      substitute_field(field, errors);
      substitute(field.fields, errors);
      made.push_back(std::move(field));
    }
  }
  fields = std::move(made);
}

void Variables::substitute_field(Field& field, Errors& errors) {
  place_in_iteration(field);
  if (field.name.kind == Token::Kind::kVariable) substitute_name(field.name, errors);
  for (Token& token : field.scalar) substitute_scalar(token, errors);
}

void Variables::place_in_iteration(Field& field) const {
  field.name.place.iteration = iteration_;
  field.end.iteration = iteration_;
  for (Token& token : field.scalar) token.place.iteration = iteration_;
}

bool Variables::begin_repeat(Field& block, Repeat& repeat, Errors& errors) {
  const size_t before = errors.count();
  place_in_iteration(block);
  for (Field& field : block.fields)
    if (is_repeats_own(field)) substitute_field(field, errors);
  if (!read_repeat(block, repeat, errors) || errors.count() > before) return false;
  if (repeat.variable.empty()) return true;
  if (variables_.count(repeat.variable) || lookup_repeated(repeat.variable))
    return errors.add(repeat.variable_place, "there is a variable \"" + repeat.variable + "\" already",
                      "give the one of this repeat another name"),
           false;
  repeated_.insert(repeat.variable);
  return true;
}

void Variables::repeat(Field& block, std::vector<Field>& made, Errors& errors) {
  Repeat repeat;
  if (!begin_repeat(block, repeat, errors)) return;
  std::erase_if(block.fields, is_repeats_own);
  const auto [fields_each, bytes_each] = size_of(block);
  const size_t before = made.size();
  for (int64_t i = 0; i < repeat.count; ++i) {
    if (errors.is_full()) break;
    if (!spend(fields_each, bytes_each, block.name.place, errors)) return made.resize(before);
    iterations_.push_back({repeat.variable, repeat.from + i * repeat.step, iteration_});
    std::vector<Field> fields = block.fields;
    const Iteration* const outer = std::exchange(iteration_, &iterations_.back());
    substitute(fields, errors);
    iteration_ = outer;
    std::move(fields.begin(), fields.end(), std::back_inserter(made));
  }
}

// Errors: said once, then nothing is left to spend.
bool Variables::spend(size_t fields, size_t bytes, const Place& place, Errors& errors) {
  if (is_exhausted()) return false;
  spent_fields_ += fields, spent_bytes_ += bytes;
  if (spent_fields_ > limits_.fields)
    errors.add(place, "repeats make more than " + std::to_string(limits_.fields) + " fields");
  else if (spent_bytes_ > limits_.bytes)
    errors.add(place, "variables and repeats make more than " + std::to_string(limits_.bytes >> 20) +
                          " MiB of text");
  return !is_exhausted();
}

std::string Variables::spent(std::string text, const Place& place, Errors& errors) {
  return spend(0, text.size(), place, errors) ? text : "";
}

void Variables::substitute_name(Token& name, Errors& errors) {
  VariableValue value;
  if (!expand(name.text, name.place, 0, value, errors)) return;
  const std::string text = variable_text(value);
  if (!is_identifier(text)) return errors.add(name.place, "\"" + text + "\" cannot be the name of a field");
  name.kind = Token::Kind::kName;
  name.text = text;
}

void Variables::substitute_scalar(Token& token, Errors& errors) {
  if (token.kind == Token::Kind::kString && token.text.find('$') != std::string::npos) {
    const size_t before = errors.count();
    token.text = quote(interpolate(token, token.writer, errors));
    if (errors.count() > before || is_exhausted()) token.kind = Token::Kind::kVariable;
  } else if (token.kind == Token::Kind::kVariable) {
    VariableValue value;
    const std::string expression = token.text;
    if (!expand(expression, token.place, 0, value, errors)) return;
    token.text = spent(variable_text(value), token.place, errors);
    if (is_exhausted()) return;
    token.writer = writer_of(expression, token.place.source);
    token.from_variable = true;
    token.kind = is_number(token.text)       ? Token::Kind::kNumber
                 : is_identifier(token.text) ? Token::Kind::kName
                                             : Token::Kind::kString;
    if (token.kind == Token::Kind::kString) token.text = quote(token.text);
  }
}

std::string Variables::interpolate(const Token& string, const SourceText*& writer, Errors& errors) {
  const std::string text = unquote(string.text);
  // Places inside are exact only while the string has no escapes.
  const bool plain = text.size() + 2 == string.place.length;
  std::string out;
  writer = string.place.source;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$') {
      out += text[i];
      continue;
    }
    const bool braces = i + 1 < text.size() && text[i + 1] == '{';
    const size_t begin = i + 1 + braces;
    size_t end = begin;
    while (end < text.size() && (braces ? text[end] != '}' : is_name_letter(text[end], end == begin))) ++end;
    Place place = string.place;
    place.offset += plain ? 1 + i : 0, place.length = plain ? end + braces - i : 1;
    if (i + 1 < text.size() && text[i + 1] == '$') {
      out += '$';
      ++i;
    } else if (end == begin || (braces && end == text.size())) {
      errors.add(place, "\"$\" is followed by neither a name nor {expression}",
                 "a dollar sign is written $$");
    } else {
      VariableValue value;
      const std::string expression = text.substr(begin, end - begin);
      const bool is_first = out.empty();
      if (expand(expression, place, plain ? 1 + braces : 1, value, errors))
        out += spent(variable_text(value), place, errors);
      if (is_first && !out.empty()) writer = writer_of(expression, string.place.source);
      i = end - !braces;
    }
  }
  return out;
}

}  // namespace plait::inline pipeline
