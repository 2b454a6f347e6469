// Variables of a job: var { name: "width" value: 64 }, --var width=32, $width, ${width * 2}, "$data/train".
#pragma once
#include <map>
#include <string>
#include <vector>

#include "pipeline/expression.h"
#include "pipeline/syntax.h"

namespace plait {

class Variables {
 public:
  // --var. They win over what files say.
  explicit Variables(const std::map<std::string, std::string>& given);

  // Takes a var { } block. `depth`: how many includes deep; the outermost definition of a name holds.
  // Errors: no name, no value, an unknown field, twice at one depth.
  void define(const Field& block, int depth, Errors& errors);
  // Errors: a --var that no file defines (did-you-mean).
  void check_given(Errors& errors) const;

  // Replaces $name and ${...} in fields by their values, and $name inside strings; "$$" in a string is one
  // "$". Errors: unknown variables (did-you-mean), arithmetic, a variable that needs itself.
  void substitute(std::vector<Field>& fields, Errors& errors);

 private:
  struct Variable {
    Token written;  // as the value stands in the file
    VariableValue value;
    int depth = 0;
    Place place;
    enum { kUnknown, kBusy, kKnown } state = kUnknown;
  };
  const VariableValue* lookup(const std::string& name, ExpressionError& error, Errors& errors);
  bool resolve(Variable& variable, Errors& errors);
  void substitute_scalar(Token& token, Errors& errors);
  void substitute_name(Token& name, Errors& errors);
  std::string interpolate(const Token& string, Errors& errors);
  bool expand(const std::string& expression, Place place, size_t shift, VariableValue& value, Errors& errors);
  std::vector<std::string> names() const;

  std::map<std::string, std::string> given_;
  std::map<std::string, SourceText> given_texts_;
  std::map<std::string, Variable> variables_;
};

}  // namespace plait
