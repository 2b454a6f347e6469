// Variables of a job: var { name: "width" value: 64 }, --var width=32, $width, ${width * 2}, "$data/train";
// and those of repeats, which are taken apart here.
#pragma once
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pipeline/expression.h"
#include "pipeline/repeat.h"
#include "pipeline/repeat_limits.h"
#include "pipeline/syntax.h"

namespace plait::inline pipeline {

class Variables {
 public:
  // --var. They win over what files say.
  explicit Variables(const std::map<std::string, std::string>& given);

  // Takes a var { } block. `depth`: how many includes deep; the outermost definition of a name holds.
  // Errors: no name, no value, an unknown field, twice at one depth.
  void define(const Field& block, int depth, Errors& errors);
  // Errors: a --var that no file defines (did-you-mean).
  void check_given(Errors& errors) const;

  // From here on values are the files' own, and what give() says of them, one after the other.
  void take_back_given();
  void give(const std::string& name, const std::string& value);

  void set_limits(const RepeatLimits& limits) { limits_ = limits; }

  // A variable of this name belongs to a repeat: for errors where it is elsewhere.
  void expect_in_repeat(const std::string& name) { repeated_.insert(name); }

  // Replaces $name and ${...} in fields by their values, and $name inside strings; "$$" in a string is one
  // "$". A repeat is replaced by what it makes, whose places know their iteration: keep the variables as
  // long. A field without a value stays unresolved. Errors: unknown variables (did-you-mean), arithmetic, a
  // variable that needs itself, or needs others in too long a chain; those of read_repeat, a repeat's
  // variable that is one already, repeats or texts that make too much.
  void substitute(std::vector<Field>& fields, Errors& errors);

 private:
  struct Variable {
    Token written;  // as the value is in the file
    VariableValue value;
    const SourceText* writer = nullptr;  // of the value's first characters
    int depth = 0;
    Place place;
    bool is_given = false;
    enum { kUnknown, kBusy, kKnown, kBroken } state = kUnknown;
  };
  const VariableValue* lookup(const std::string& name, ExpressionError& error, Errors& errors);
  const VariableValue* lookup_repeated(const std::string& name);
  bool resolve(Variable& variable, Errors& errors);
  void substitute_field(Field& field, Errors& errors);
  void repeat(Field& block, std::vector<Field>& made, Errors& errors);
  bool begin_repeat(Field& block, Repeat& repeat, Errors& errors);
  void place_in_iteration(Field& field) const;
  bool spend(size_t fields, size_t bytes, const Place& place, Errors& errors);
  std::string spent(std::string text, const Place& place, Errors& errors);
  bool is_exhausted() const { return spent_fields_ > limits_.fields || spent_bytes_ > limits_.bytes; }
  void substitute_scalar(Token& token, Errors& errors);
  void substitute_name(Token& name, Errors& errors);
  // `writer` becomes the text that wrote the first character of what comes out.
  std::string interpolate(const Token& string, const SourceText*& writer, Errors& errors);
  const SourceText* writer_of(const std::string& expression, const SourceText* here) const;
  bool expand(const std::string& expression, Place place, size_t shift, VariableValue& value, Errors& errors);
  std::vector<std::string> names() const;
  void forget_values();

  std::map<std::string, std::string> given_;
  std::map<std::string, SourceText> given_texts_;
  std::map<std::string, Variable> variables_;
  std::set<std::string> repeated_;
  std::deque<Iteration> iterations_;      // all that there were
  const Iteration* iteration_ = nullptr;  // the one being made
  VariableValue iteration_value_;
  RepeatLimits limits_;
  size_t spent_fields_ = 0, spent_bytes_ = 0;
  int depth_ = 0;  // of variables and expressions that wait for each other
};

}  // namespace plait::inline pipeline
