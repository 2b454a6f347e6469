// The shape of a pipeline file: a tree of fields, not yet typed.
#pragma once
#include <string>
#include <vector>

#include "pipeline/lexer.h"

namespace plait::inline pipeline {

// One value of one field. A list "stride: [1, 2]" becomes a Field for each value.
struct Field {
  Token name;              // text "convolution", or "acme.swish" for [acme.swish]
  bool bracketed = false;  // written [acme.swish]
  bool in_list = false;
  bool is_message = false;
  std::vector<Token> scalar;  // one value: [-] word, or strings that follow each other
  std::vector<Field> fields;  // of a message
  Place end;                  // its closing brace

  // Its name or value is a variable without a value: that has been said, and the field says nothing.
  bool is_unresolved() const;
  const Field* find(const std::string& field_name) const;
  // The unquoted text of scalar field `field_name`, "" when there is none.
  std::string text_of(const std::string& field_name) const;
};

constexpr int kMaxDepth = 64;

// Tokens (ended by kEnd) as fields. After an error reading goes on at the next name in the first column; a
// block with an error is left out.
std::vector<Field> parse_fields(const std::vector<Token>& tokens, Errors& errors);

// The value of a scalar, unquoted and joined.
std::string scalar_text(const std::vector<Token>& scalar);
// A place that covers all tokens of a scalar.
Place scalar_place(const Field& field);

}  // namespace plait::inline pipeline
