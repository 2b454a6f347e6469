#include "pipeline/variables.h"

#include "registry/registry.h"

namespace plait {
namespace {

std::string did_you_mean_hint(const std::string& name, const std::vector<std::string>& candidates) {
  const std::string near = did_you_mean(name, candidates);
  if (!near.empty()) return "did you mean \"" + near + "\"?";
  if (candidates.empty()) return "the job has no var { }";
  std::string all = "variables:";
  for (const std::string& candidate : candidates) all += " " + candidate;
  return all;
}

bool is_name_letter(char c, bool first) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

}  // namespace

Variables::Variables(const std::map<std::string, std::string>& given) : given_(given) {
  for (const auto& [name, value] : given) given_texts_[name] = {"--var", name + "=" + value};
}

std::vector<std::string> Variables::names() const {
  std::vector<std::string> names;
  for (const auto& entry : variables_) names.push_back(entry.first);
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
    variable.state = Variable::kKnown;
  }
  variables_[name] = variable;
}

void Variables::check_given(Errors& errors) const {
  for (const auto& [name, text] : given_texts_)
    if (!variables_.count(name))
      errors.add({&text, 0, name.size()}, "the job has no variable \"" + name + "\"",
                 did_you_mean_hint(name, names()));
}

const VariableValue* Variables::lookup(const std::string& name, ExpressionError& error, Errors& errors) {
  const auto found = variables_.find(name);
  if (found == variables_.end()) {
    error.message = "unknown variable \"" + name + "\"";
    error.hint = did_you_mean_hint(name, names());
    return nullptr;
  }
  if (found->second.state == Variable::kBusy) {
    error.message = "variable \"" + name + "\" needs itself";
    return nullptr;
  }
  return resolve(found->second, errors) ? &found->second.value : nullptr;
}

// The value of a variable may use other variables, wherever they are defined.
bool Variables::resolve(Variable& variable, Errors& errors) {
  if (variable.state == Variable::kKnown) return true;
  variable.state = Variable::kBusy;
  const size_t before = errors.count();
  if (variable.written.kind == Token::Kind::kVariable) {
    expand(variable.written.text, variable.written.place, 0, variable.value, errors);
  } else if (variable.written.kind == Token::Kind::kString) {
    variable.value = interpolate(variable.written, errors);
  } else {
    variable.value = variable.written.text;
  }
  variable.state = Variable::kKnown;
  return errors.count() == before;
}

// `shift`: where the expression begins behind place.offset, 0: find out from the text.
bool Variables::expand(const std::string& expression, Place place, size_t shift, VariableValue& value,
                       Errors& errors) {
  ExpressionError error;
  const auto find = [&](const std::string& name, ExpressionError& into) {
    return lookup(name, into, errors);
  };
  if (evaluate(expression, find, value, error)) return true;
  if (error.message.empty()) return false;  // said already, where the variable is defined
  if (shift == 0) shift = place.length > expression.size() + 1 ? 2 : 1;
  if (place.length > 0) place = {place.source, place.offset + shift + error.offset, 1};
  errors.add(place, error.message, error.hint);
  return false;
}

void Variables::substitute(std::vector<Field>& fields, Errors& errors) {
  for (Field& field : fields) {
    if (field.name.kind == Token::Kind::kVariable) substitute_name(field.name, errors);
    for (Token& token : field.scalar) substitute_scalar(token, errors);
    substitute(field.fields, errors);
  }
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
    token.text = quote(interpolate(token, errors));
  } else if (token.kind == Token::Kind::kVariable) {
    VariableValue value;
    if (!expand(token.text, token.place, 0, value, errors)) value = int64_t{0};
    token.text = variable_text(value);
    token.from_variable = true;
    token.kind = is_number(token.text)       ? Token::Kind::kNumber
                 : is_identifier(token.text) ? Token::Kind::kName
                                             : Token::Kind::kString;
    if (token.kind == Token::Kind::kString) token.text = quote(token.text);
  }
}

std::string Variables::interpolate(const Token& string, Errors& errors) {
  const std::string text = unquote(string.text);
  // Places inside are exact only while the string has no escapes.
  const bool plain = text.size() + 2 == string.place.length;
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$') {
      out += text[i];
      continue;
    }
    const bool braces = i + 1 < text.size() && text[i + 1] == '{';
    const size_t begin = i + 1 + braces;
    size_t end = begin;
    while (end < text.size() && (braces ? text[end] != '}' : is_name_letter(text[end], end == begin))) ++end;
    const Place place{string.place.source, string.place.offset + (plain ? 1 + i : 0),
                      plain ? end + braces - i : 1};
    if (i + 1 < text.size() && text[i + 1] == '$') {
      out += '$';
      ++i;
    } else if (end == begin || (braces && end == text.size())) {
      errors.add(place, "\"$\" is followed by neither a name nor {expression}",
                 "a dollar sign is written $$");
    } else {
      VariableValue value;
      if (expand(text.substr(begin, end - begin), place, plain ? 1 + braces : 1, value, errors))
        out += variable_text(value);
      i = end - !braces;
    }
  }
  return out;
}

}  // namespace plait
