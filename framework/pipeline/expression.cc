#include "pipeline/expression.h"

#include <charconv>
#include <cmath>

#include "pipeline/lexer.h"

namespace plait::inline pipeline {
namespace {

double as_double(const VariableValue& value) {
  return std::holds_alternative<int64_t>(value) ? static_cast<double>(std::get<int64_t>(value))
                                                : std::get<double>(value);
}

// The exact whole-number result when there is one.
bool whole_result(char op, int64_t a, int64_t b, int64_t& result) {
  switch (op) {
    case '+':
      return !__builtin_add_overflow(a, b, &result);
    case '-':
      return !__builtin_sub_overflow(a, b, &result);
    case '*':
      return !__builtin_mul_overflow(a, b, &result);
    default:
      return b != -1 && a % b == 0 ? (result = a / b, true) : b == -1 && whole_result('-', 0, a, result);
  }
}

double real_result(char op, double a, double b) {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    default:
      return a / b;
  }
}

// Recursive descent: sum = product {(+|-) product}, product = factor {(*|/) factor}.
class Evaluator {
 public:
  Evaluator(const std::string& text, const VariableLookup& lookup, ExpressionError& error, int& depth)
      : text_(text), lookup_(lookup), error_(error), depth_(depth) {}

  bool run(VariableValue& value) {
    return sum(value) && (blank() == text_.size() || fail(std::string("unexpected \"") + text_[at_] + "\""));
  }

 private:
  size_t blank() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    return at_;
  }
  char peek() { return blank() < text_.size() ? text_[at_] : '\0'; }
  bool fail(const std::string& message) { return error_ = {at_, message, ""}, false; }

  bool sum(VariableValue& value) {
    if (!product(value)) return false;
    while (peek() == '+' || peek() == '-')
      if (!apply(value, &Evaluator::product)) return false;
    return true;
  }

  bool product(VariableValue& value) {
    if (!factor(value)) return false;
    while (peek() == '*' || peek() == '/')
      if (!apply(value, &Evaluator::factor)) return false;
    return true;
  }

  bool apply(VariableValue& left, bool (Evaluator::*operand)(VariableValue&)) {
    const size_t place = at_;
    const char op = text_[at_++];
    VariableValue right;
    if (!(this->*operand)(right)) return false;
    for (VariableValue* side : {&left, &right}) {
      if (const auto* words = std::get_if<std::string>(side)) *side = variable_value(std::string(*words));
      if (const auto* words = std::get_if<std::string>(side))
        return at_ = place, fail("\"" + *words + "\" is not a number");
    }
    return combine(op, place, left, right);
  }

  bool combine(char op, size_t place, VariableValue& left, const VariableValue& right) {
    if (op == '/' && as_double(right) == 0) return at_ = place, fail("division by zero");
    const auto* a = std::get_if<int64_t>(&left);
    const auto* b = std::get_if<int64_t>(&right);
    int64_t whole = 0;
    if (a && b && whole_result(op, *a, *b, whole)) return left = whole, true;
    const double real = real_result(op, as_double(left), as_double(right));
    if (!std::isfinite(real)) return at_ = place, fail("the result is too large");
    return left = real, true;
  }

  bool factor(VariableValue& value) {
    if (depth_ >= kMaxExpressionDepth) return fail(expression_depth_fault());
    ++depth_;
    const bool good = unguarded_factor(value);
    --depth_;
    return good;
  }

  bool unguarded_factor(VariableValue& value) {
    const char c = peek();
    if (c == '-') {
      value = int64_t{0};
      return apply(value, &Evaluator::factor);
    }
    if (c == '(') return parentheses(value);
    if (c == '$') ++at_;
    return std::isalpha(static_cast<unsigned char>(peek())) || peek() == '_' ? variable(value)
                                                                             : number(value);
  }

  bool parentheses(VariableValue& value) {
    ++at_;
    if (!sum(value)) return false;
    return peek() == ')' ? (++at_, true) : fail("\")\" is missing");
  }

  bool variable(VariableValue& value) {
    const size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_'))
      ++at_;
    const VariableValue* found = lookup_(text_.substr(begin, at_ - begin), error_);
    if (found == nullptr) return error_.offset = begin, false;
    value = *found;
    return true;
  }

  bool number(VariableValue& value) {
    const size_t begin = blank();
    double real = 0;
    const auto parsed = std::from_chars(text_.data() + at_, text_.data() + text_.size(), real);
    if (parsed.ec == std::errc::result_out_of_range)
      return fail("\"" + text_.substr(begin, static_cast<size_t>(parsed.ptr - text_.data()) - begin) +
                  "\" is too large or too small for a number of 64 bits");
    if (parsed.ec != std::errc()) return fail("expected a number, a variable or \"(\"");
    at_ = parsed.ptr - text_.data();
    value = variable_value(text_.substr(begin, at_ - begin));
    return true;
  }

  const std::string& text_;
  const VariableLookup& lookup_;
  ExpressionError& error_;
  int& depth_;
  size_t at_ = 0;
};

}  // namespace

std::string expression_depth_fault() {
  return "the expression nests too deep: more than " + std::to_string(kMaxExpressionDepth) +
         " levels of parentheses, signs and variables that need each other";
}

VariableValue variable_value(const std::string& text) {
  if (!is_number(text)) return text;
  const char* end = text.data() + text.size();
  int64_t whole = 0;
  if (const auto parsed = std::from_chars(text.data(), end, whole);
      parsed.ec == std::errc() && parsed.ptr == end)
    return whole;
  double real = 0;
  return std::from_chars(text.data(), end, real).ec == std::errc() ? VariableValue(real)
                                                                   : VariableValue(text);
}

std::string variable_text(const VariableValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  char digits[40];
  const auto end = std::holds_alternative<int64_t>(value)
                       ? std::to_chars(digits, digits + sizeof digits, std::get<int64_t>(value))
                       : std::to_chars(digits, digits + sizeof digits, std::get<double>(value));
  return std::string(digits, end.ptr);
}

bool evaluate(const std::string& text, const VariableLookup& lookup, VariableValue& value,
              ExpressionError& error, int& depth) {
  return Evaluator(text, lookup, error, depth).run(value);
}

bool evaluate(const std::string& text, const VariableLookup& lookup, VariableValue& value,
              ExpressionError& error) {
  int depth = 0;
  return evaluate(text, lookup, value, error, depth);
}

}  // namespace plait::inline pipeline
