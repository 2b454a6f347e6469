#include "pipeline/expression.h"

#include <doctest/doctest.h>

using namespace plait;

namespace {

std::string result(const std::string& text) {
  const VariableValue width = std::string("64"), name = std::string("relu");
  VariableValue value;
  ExpressionError error;
  const auto lookup = [&](const std::string& variable, ExpressionError& into) -> const VariableValue* {
    if (variable == "width") return &width;
    if (variable == "name") return &name;
    into.message = "unknown";
    return nullptr;
  };
  return evaluate(text, lookup, value, error) ? variable_text(value)
                                              : std::to_string(error.offset) + ": " + error.message;
}

}  // namespace

TEST_CASE("arithmetic keeps whole numbers whole and follows precedence") {
  CHECK(result("1 + 2 * 3") == "7");
  CHECK(result("(1 + 2) * 3") == "9");
  CHECK(result("8 / 2") == "4");
  CHECK(result("7 / 2") == "3.5");
  CHECK(result("-2 * -3") == "6");
  CHECK(result("-width / 4 - 1") == "-17");
  CHECK(result("width*2") == "128");
  CHECK(result("1e-3 * 2") == "0.002");
  CHECK(result("9223372036854775807 + 1") == "9223372036854775808");
  CHECK(result("2 - 3 - 4") == "-5");
}

TEST_CASE("a lone variable keeps its text, arithmetic wants numbers") {
  CHECK(result("name") == "relu");
  CHECK(result(" width ") == "64");
  CHECK(result("name + 1") == "5: \"relu\" is not a number");
  CHECK(result("1 + nobody") == "4: unknown");
}

TEST_CASE("what is no expression says where") {
  CHECK(result("1 / (3 - 3)") == "2: division by zero");
  CHECK(result("1 +") == "3: expected a number, a variable or \"(\"");
  CHECK(result("") == "0: expected a number, a variable or \"(\"");
  CHECK(result("1 % 2") == "2: unexpected \"%\"");
  CHECK(result("1 + 1e400") == "4: \"1e400\" is too large or too small for a number of 64 bits");
  CHECK(result("1e308 * 10") == "6: the result is too large");
}
