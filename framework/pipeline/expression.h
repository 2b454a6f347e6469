// Arithmetic of ${...}: numbers, variables, + - * / and parentheses.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include "base/status.h"

namespace plait::inline pipeline {

// What a variable holds: the text as written, or the result of arithmetic.
using VariableValue = std::variant<int64_t, double, std::string>;

// Text that reads as a number as that number, other text as it is.
VariableValue variable_value(const std::string& text);
// As written in a file: numbers so that they read back exactly, strings without quotes.
std::string variable_text(const VariableValue& value);

// A place in an expression and what is wrong there.
struct ExpressionError {
  size_t offset = 0;
  std::string message;
  std::string hint;
};

// Value of a variable, or null after having filled in the error.
using VariableLookup = std::function<const VariableValue*(const std::string& name, ExpressionError& error)>;

// Parentheses, signs and variables whose values are expressions may lie within each other so deep.
constexpr int kMaxExpressionDepth = 400;
std::string expression_depth_fault();  // in words

// Whole numbers stay whole: 7 / 2 is 3.5, 8 / 2 is 4. A lone name may hold a string; arithmetic wants
// numbers. False: `error` says where and why (syntax, unknown variable, division by zero, a result that is
// too large, depth). `depth`: of what the expression lies in, which `lookup` may ask for; as before at the
// end.
bool evaluate(const std::string& text, const VariableLookup& lookup, VariableValue& value,
              ExpressionError& error, int& depth);
bool evaluate(const std::string& text, const VariableLookup& lookup, VariableValue& value,
              ExpressionError& error);

}  // namespace plait::inline pipeline
